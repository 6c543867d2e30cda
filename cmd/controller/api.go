package main

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/eventing/pkg/client/clientset/versioned"
	eventingclient "knative.dev/eventing/pkg/client/injection/client"
	brokerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker"
	triggerinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"
	"knative.dev/pkg/system"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/audit"
)

// pageSize bounds one answer of the API server.
const pageSize = 500

// auditKey stands for the audit among the keys that leadership is divided by.
func auditKey() types.NamespacedName {
	return types.NamespacedName{Namespace: system.Namespace(), Name: component}
}

// api reads all Brokers and Triggers, from the caches or past them.
type api struct {
	client   versioned.Interface
	brokers  eventinglisters.BrokerLister
	triggers eventinglisters.TriggerLister
	synced   []cache.InformerSynced
	features *feature.Store
}

func newAPI(ctx context.Context, features *feature.Store) *api {
	brokers, triggers := brokerinformer.Get(ctx), triggerinformer.Get(ctx)
	return &api{
		client: eventingclient.Get(ctx), brokers: brokers.Lister(), triggers: triggers.Lister(), features: features,
		synced: []cache.InformerSynced{brokers.Informer().HasSynced, triggers.Informer().HasSynced},
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
	return audit.Resources{Brokers: brokers, Triggers: triggers, CrossNamespace: a.crossNamespace()},
		brokersErr == nil && triggersErr == nil
}

// live reads without a resource version, which makes the API server answer from its store and not from its cache.
func (a *api) live(ctx context.Context) (audit.Resources, error) {
	found := audit.Resources{CrossNamespace: a.crossNamespace()}
	for page := (metav1.ListOptions{Limit: pageSize}); ; {
		list, err := a.client.EventingV1().Brokers(metav1.NamespaceAll).List(ctx, page)
		if err != nil {
			return audit.Resources{}, err
		}
		for i := range list.Items {
			found.Brokers = append(found.Brokers, &list.Items[i])
		}
		if page.Continue = list.Continue; page.Continue == "" {
			break
		}
	}
	for page := (metav1.ListOptions{Limit: pageSize}); ; {
		list, err := a.client.EventingV1().Triggers(metav1.NamespaceAll).List(ctx, page)
		if err != nil {
			return audit.Resources{}, err
		}
		for i := range list.Items {
			found.Triggers = append(found.Triggers, &list.Items[i])
		}
		if page.Continue = list.Continue; page.Continue == "" {
			return found, nil
		}
	}
}

func (a *api) crossNamespace() bool { return a.features.Load().IsCrossNamespaceEventLinks() }
