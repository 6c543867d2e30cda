package main

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"knative.dev/eventing/pkg/apis/feature"
	eventing "knative.dev/eventing/pkg/client/clientset/versioned"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	triggerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"
	"knative.dev/pkg/system"

	messaging "github.com/eventing-jetstream/eventing-jetstream/pkg/client/clientset/versioned"
	messagingclient "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/client"
	channelinformer "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/informers/messaging/v1alpha1/natsjetstreamchannel"
	messaginglisters "github.com/eventing-jetstream/eventing-jetstream/pkg/client/listers/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/audit"
)

// pageSize bounds one answer of the API server.
const pageSize = 500

// auditKey stands for the audit among the keys of Brokers that leadership is divided by: who leads for it ends routes.
func auditKey() types.NamespacedName {
	return types.NamespacedName{Namespace: system.Namespace(), Name: component}
}

// api reads all Brokers, Triggers and Channels, from the caches or past them.
type api struct {
	eventing  eventing.Interface
	messaging messaging.Interface
	brokers   eventinglisters.BrokerLister
	triggers  eventinglisters.TriggerLister
	channels  messaginglisters.NatsJetStreamChannelLister
	synced    []cache.InformerSynced
	features  *feature.Store
}

func newAPI(ctx context.Context, features *feature.Store) *api {
	brokers, triggers, channels := brokerinformer.Get(ctx), triggerinformer.Get(ctx), channelinformer.Get(ctx)
	return &api{
		eventing: eventingclient.Get(ctx), messaging: messagingclient.Get(ctx),
		brokers: brokers.Lister(), triggers: triggers.Lister(), channels: channels.Lister(), features: features,
		synced: []cache.InformerSynced{brokers.Informer().HasSynced, triggers.Informer().HasSynced, channels.Informer().HasSynced},
	}
}

func (a *api) cached() (audit.Resources, bool) {
	for _, synced := range a.synced {
		if !synced() {
			return audit.Resources{}, false
		}
	}
	brokers, brokersErr := a.brokers.List(labels.Everything())
	triggers, triggersErr := a.triggers.List(labels.Everything())
	channels, channelsErr := a.channels.List(labels.Everything())
	return audit.Resources{Brokers: brokers, Triggers: triggers, Channels: channels, CrossNamespace: a.crossNamespace()},
		brokersErr == nil && triggersErr == nil && channelsErr == nil
}

// live reads without a resource version, which makes the API server answer from its store and not from its cache.
func (a *api) live(ctx context.Context) (audit.Resources, error) {
	found := audit.Resources{CrossNamespace: a.crossNamespace()}
	errs := errors.Join(
		pages(func(page metav1.ListOptions) (string, error) {
			list, err := a.eventing.EventingV1().Brokers(metav1.NamespaceAll).List(ctx, page)
			if err != nil {
				return "", err
			}
			found.Brokers = appendAll(found.Brokers, list.Items)
			return list.Continue, nil
		}),
		pages(func(page metav1.ListOptions) (string, error) {
			list, err := a.eventing.EventingV1().Triggers(metav1.NamespaceAll).List(ctx, page)
			if err != nil {
				return "", err
			}
			found.Triggers = appendAll(found.Triggers, list.Items)
			return list.Continue, nil
		}),
		pages(func(page metav1.ListOptions) (string, error) {
			list, err := a.messaging.MessagingV1alpha1().NatsJetStreamChannels(metav1.NamespaceAll).List(ctx, page)
			if err != nil {
				return "", err
			}
			found.Channels = appendAll(found.Channels, list.Items)
			return list.Continue, nil
		}),
	)
	if errs != nil {
		return audit.Resources{}, errs // half of what there is would end the other half
	}
	return found, nil
}

// pages reads one page after another until there are no more.
func pages(read func(metav1.ListOptions) (next string, err error)) error {
	for page := (metav1.ListOptions{Limit: pageSize}); ; {
		next, err := read(page)
		if err != nil || next == "" {
			return err
		}
		page.Continue = next
	}
}

func appendAll[T any](found []*T, items []T) []*T {
	for i := range items {
		found = append(found, &items[i])
	}
	return found
}

func (a *api) crossNamespace() bool { return a.features.Load().IsCrossNamespaceEventLinks() }
