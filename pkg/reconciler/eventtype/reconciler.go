package eventtype

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/eventing/pkg/client/clientset/versioned"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	pkgreconciler "knative.dev/pkg/reconciler"

	messaginglisters "github.com/eventing-jetstream/eventing-jetstream/pkg/client/listers/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// readBudget bounds one read of a record.
	readBudget = 5 * time.Second
	// A record whose owner is not known is looked at again every ownerRetry, until it is ownerPatience old: a cache may be behind.
	ownerRetry    = 2 * time.Second
	ownerPatience = 30 * time.Second

	// ReasonLimit is the reason of the Kubernetes event on a Broker or Channel that has eventtype.MaxPerAddress EventTypes.
	ReasonLimit = "EventTypeLimitReached"
)

// Records are what ingress and filter have seen; it is what buckets.EventTypes does.
type Records interface {
	EnsureEventTypes(ctx context.Context) error
	WatchEventTypes(ctx context.Context, each func(key string)) error
	EventType(ctx context.Context, key string) (buckets.SeenEventType, bool, error)
}

// reconciler makes one EventType from one record, whose key in the bucket is the key of the work queue. It changes and deletes
// none: Kubernetes does, when the owner goes.
type reconciler struct {
	pkgreconciler.LeaderAwareFuncs

	records  Records
	features *feature.Store
	client   versioned.Interface
	brokers  eventinglisters.BrokerLister
	triggers eventinglisters.TriggerLister
	channels messaginglisters.NatsJetStreamChannelLister
	// eventTypes knows all EventTypes, by name and by addressIndex.
	eventTypes cache.Indexer
	events     record.EventRecorder

	mu sync.Mutex
	// full are the Brokers and Channels that have been told so.
	full map[types.UID]bool
}

var (
	_ controller.Reconciler     = (*reconciler)(nil)
	_ pkgreconciler.LeaderAware = (*reconciler)(nil)
)

// Reconcile makes the EventType of the record, unless there is one. An error has it tried again, later each time.
func (r *reconciler) Reconcile(ctx context.Context, key string) error {
	if !r.IsLeaderFor(types.NamespacedName{Name: key}) {
		return controller.NewSkipKey(key)
	}
	if !r.enabled() {
		return nil
	}
	reading, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	seen, found, err := r.records.EventType(reading, key)
	switch {
	case errors.Is(err, eventtype.ErrRecord):
		return controller.NewPermanentError(err)
	case err != nil || !found:
		return err
	}
	o, known := r.owners(seen.Record)
	if !known {
		if time.Since(seen.At) < ownerPatience {
			return controller.NewRequeueAfter(ownerRetry)
		}
		return nil
	}
	return r.create(ctx, seen.Record, o)
}

func (r *reconciler) enabled() bool { return r.features.IsEnabled(feature.EvenTypeAutoCreate) }

// owners finds the very resources that the record is about, as the caches know them: not a later one of the same name, nor any
// that is not ours.
func (r *reconciler) owners(seen eventtype.Record) (owners, bool) {
	if seen.Address.Kind == route.KindChannel {
		return r.channelOwners(seen)
	}
	return r.brokerOwners(seen)
}

func (r *reconciler) brokerOwners(seen eventtype.Record) (owners, bool) {
	address := seen.Address
	b, err := r.brokers.Brokers(address.Namespace).Get(address.Name)
	if err != nil || string(b.UID) != seen.AddressUID || b.Annotations[compile.ClassAnnotation] != compile.BrokerClass {
		return owners{}, false
	}
	if seen.Target == (eventtype.Target{}) {
		return ofBroker(b), true
	}
	t, err := r.triggers.Triggers(seen.Target.Namespace).Get(seen.Target.Name)
	if err != nil || string(t.UID) != seen.Target.UID ||
		compile.ChosenBroker(t, r.features.Load().IsCrossNamespaceEventLinks()) != address {
		return owners{}, false
	}
	return ofBroker(b).repliedBy(triggerOwner(t)), true
}

// channelOwners takes a channel's own word for its Subscriptions.
func (r *reconciler) channelOwners(seen eventtype.Record) (owners, bool) {
	c, err := r.channels.NatsJetStreamChannels(seen.Address.Namespace).Get(seen.Address.Name)
	if err != nil || string(c.UID) != seen.AddressUID {
		return owners{}, false
	}
	if seen.Target == (eventtype.Target{}) {
		return ofChannel(c), true
	}
	for _, s := range c.Spec.Subscribers {
		if string(s.UID) == seen.Target.UID && s.Name != nil {
			return ofChannel(c).repliedBy(subscriptionOwner(c.Namespace, s)), true
		}
	}
	return owners{}, false
}

func (r *reconciler) create(ctx context.Context, seen eventtype.Record, o owners) error {
	want := objectOf(seen, o)
	if _, exists, err := r.eventTypes.GetByKey(want.Namespace + "/" + want.Name); err != nil || exists {
		return err
	}
	have, err := r.eventTypes.IndexKeys(addressIndex, string(o.address.uid))
	if err != nil {
		return err
	}
	// A few more may come to be while the cache is behind.
	if full := len(have) >= eventtype.MaxPerAddress; r.setFull(ctx, o, full) {
		return nil
	}
	_, err = r.client.EventingV1beta3().EventTypes(want.Namespace).Create(ctx, want, metav1.CreateOptions{})
	switch {
	case err == nil, apierrs.IsAlreadyExists(err):
		return nil
	case apierrs.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil
	case apierrs.IsInvalid(err), apierrs.IsBadRequest(err):
		return controller.NewPermanentError(fmt.Errorf("make an EventType: %w", err))
	}
	return fmt.Errorf("make an EventType: %w", err)
}

// setFull notes whether the Broker or Channel has as many EventTypes as it may, says so when that is new, and returns it.
func (r *reconciler) setFull(ctx context.Context, o owners, full bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !full {
		delete(r.full, o.address.uid)
		return false
	}
	if !r.full[o.address.uid] {
		r.full[o.address.uid] = true
		message := fmt.Sprintf("%d EventTypes were made for this %s and what replies to it; no more are", eventtype.MaxPerAddress, o.address.kind)
		logging.FromContext(ctx).Warnw(message, "namespace", o.address.namespace, "name", o.address.name)
		r.events.Event(o.object, corev1.EventTypeWarning, ReasonLimit, message)
	}
	return true
}
