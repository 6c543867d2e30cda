package eventtype

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgotesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/eventing/v1beta3"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/eventing/pkg/client/clientset/versioned/fake"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	logtesting "knative.dev/pkg/logging/testing"
	pkgreconciler "knative.dev/pkg/reconciler"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	messaginglisters "github.com/eventing-jetstream/eventing-jetstream/pkg/client/listers/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
)

// fixed holds one record, or an error.
type fixed struct {
	seen        buckets.SeenEventType
	gone        bool
	err         error
	reads, made int
}

func (f *fixed) EnsureEventTypes(context.Context) error {
	f.made++
	return nil
}

func (f *fixed) WatchEventTypes(ctx context.Context, _ func(string)) error {
	<-ctx.Done()
	return nil
}

func (f *fixed) EventType(context.Context, string) (buckets.SeenEventType, bool, error) {
	f.reads++
	return f.seen, !f.gone && f.err == nil, f.err
}

// newReconciler returns one that leads, with these objects in its caches and in the API.
func newReconciler(t *testing.T, records Records, flag feature.Flag, objects ...runtime.Object) *reconciler {
	t.Helper()
	r := &reconciler{
		records: records, features: feature.NewStore(logtesting.TestLogger(t)), client: fake.NewSimpleClientset(ofEventing(objects)...),
		events: record.NewFakeRecorder(10), full: map[types.UID]bool{},
		eventTypes: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{addressIndex: addressOf}),
	}
	watcher := &configmap.ManualWatcher{Namespace: "knative-testing"}
	r.features.WatchConfigs(watcher)
	watcher.OnChange(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "knative-testing", Name: feature.FlagsConfigName},
		Data:       map[string]string{feature.EvenTypeAutoCreate: string(flag)},
	})
	brokers := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	triggers := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	channels := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	for _, o := range objects {
		switch o.(type) {
		case *eventingv1.Broker:
			must(t, brokers.Add(o))
		case *eventingv1.Trigger:
			must(t, triggers.Add(o))
		case *v1alpha1.NatsJetStreamChannel:
			must(t, channels.Add(o))
		case *v1beta3.EventType:
			must(t, r.eventTypes.Add(o))
		}
	}
	r.brokers, r.triggers = eventinglisters.NewBrokerLister(brokers), eventinglisters.NewTriggerLister(triggers)
	r.channels = messaginglisters.NewNatsJetStreamChannelLister(channels)
	must(t, r.Promote(pkgreconciler.UniversalBucket(), nil))
	return r
}

// ofEventing leaves out what Knative's own client does not know.
func ofEventing(objects []runtime.Object) []runtime.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o runtime.Object) bool {
		_, channel := o.(*v1alpha1.NatsJetStreamChannel)
		return channel
	})
}

// outcome is what became of one record.
type outcome string

const (
	created   outcome = "created"
	nothing   outcome = "nothing"
	laterOn   outcome = "tried again soon"
	retried   outcome = "tried again after an error"
	given     outcome = "given up"
	notOurJob outcome = "left to the leader"
)

func outcomeOf(t *testing.T, r *reconciler, key string) outcome {
	t.Helper()
	err := r.Reconcile(logtesting.TestContextWithLogger(t), key)
	requeued, _ := controller.IsRequeueKey(err)
	switch {
	case controller.IsSkipKey(err):
		return notOurJob
	case requeued:
		return laterOn
	case controller.IsPermanentError(err):
		return given
	case err != nil:
		return retried
	}
	for _, action := range r.client.(*fake.Clientset).Actions() {
		if action.GetVerb() == "create" {
			return created
		}
	}
	return nothing
}

func TestRecordsAndTheirOwners(t *testing.T) {
	orders, billing := brokerNamed("orders"), triggerOf("billing", "orders")
	theirs := brokerNamed("theirs")
	theirs.Annotations[compile.ClassAnnotation] = "MTChannelBasedBroker"
	again, moved, successor := recordOf(orders, "made"), triggerOf("moved", "other"), replyOf(billing, orders, "made")
	again.AddressUID = "another"
	successor.Target.UID = "another"
	shipped := channelNamed("shipped", "stock")
	remade := throughChannel(shipped, "")
	remade.AddressUID = "another"
	for _, test := range []struct {
		name   string
		record eventtype.Record
		age    time.Duration
		exists bool
		want   outcome
	}{
		{name: "from outside", record: recordOf(orders, "made"), age: time.Hour, want: created},
		{name: "a reply", record: replyOf(billing, orders, "made"), age: time.Hour, want: created},
		{name: "known already", record: recordOf(orders, "made"), exists: true, want: nothing},
		{name: "the Broker is not known yet", record: recordOf(brokerNamed("none"), "made"), want: laterOn},
		{name: "the Broker is gone", record: recordOf(brokerNamed("none"), "made"), age: time.Hour, want: nothing},
		{name: "the Broker was made again", record: again, age: time.Hour, want: nothing},
		{name: "another class", record: recordOf(theirs, "made"), age: time.Hour, want: nothing},
		{name: "through a channel", record: throughChannel(shipped, ""), age: time.Hour, want: created},
		{name: "a reply of a Subscription's", record: throughChannel(shipped, "stock"), age: time.Hour, want: created},
		{name: "the channel is gone", record: throughChannel(channelNamed("none", ""), ""), age: time.Hour, want: nothing},
		{name: "the channel was made again", record: remade, age: time.Hour, want: nothing},
		{name: "the Subscription is gone", record: throughChannel(shipped, "none"), age: time.Hour, want: nothing},
		{name: "the Trigger is not known yet", record: replyOf(triggerOf("none", "orders"), orders, "made"), want: laterOn},
		{name: "the Trigger is gone", record: replyOf(triggerOf("none", "orders"), orders, "made"), age: time.Hour, want: nothing},
		{name: "the Trigger was made again", record: successor, age: time.Hour, want: nothing},
		{name: "the Trigger is another Broker's", record: replyOf(moved, orders, "made"), age: time.Hour, want: nothing},
	} {
		t.Run(test.name, func(t *testing.T) {
			objects := []runtime.Object{orders, theirs, billing, moved, shipped}
			if test.exists {
				objects = append(objects, objectOf(test.record, ofBroker(orders)))
			}
			records := &fixed{seen: buckets.SeenEventType{Record: test.record, At: time.Now().Add(-test.age)}}
			if got := outcomeOf(t, newReconciler(t, records, feature.Enabled, objects...), test.record.Key()); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	orders := brokerNamed("orders")
	record := recordOf(orders, "made")
	resource := schema.GroupResource{Group: "eventing.knative.dev", Resource: "eventtypes"}
	terminating := apierrs.NewForbidden(resource, "x", errors.New("the namespace is being terminated"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	for _, test := range []struct {
		name    string
		records fixed
		api     error
		standby bool
		want    outcome
	}{
		{name: "the record has expired", records: fixed{gone: true}, want: nothing},
		{name: "NATS is away", records: fixed{err: errors.New("away")}, want: retried},
		{name: "the record cannot be read", records: fixed{err: eventtype.ErrRecord}, want: given},
		{name: "somebody made it first", api: apierrs.NewAlreadyExists(resource, "x"), want: created},
		{name: "the namespace goes", api: terminating, want: created},
		{name: "the API server is away", api: errors.New("away"), want: retried},
		{name: "a quota is used up", api: apierrs.NewForbidden(resource, "x", errors.New("quota")), want: retried},
		{name: "the API server does not take it", api: apierrs.NewInvalid(schema.GroupKind{}, "x", nil), want: given},
		{name: "the webhook does not take it", api: apierrs.NewBadRequest("no"), want: given},
		{name: "another replica leads", standby: true, want: notOurJob},
	} {
		t.Run(test.name, func(t *testing.T) {
			records := test.records
			records.seen = buckets.SeenEventType{Record: record, At: time.Now()}
			r := newReconciler(t, &records, feature.Enabled, orders)
			r.client.(*fake.Clientset).PrependReactor("create", "eventtypes", func(clientgotesting.Action) (bool, runtime.Object, error) {
				return test.api != nil, nil, test.api
			})
			if test.standby {
				r.Demote(pkgreconciler.UniversalBucket())
			}
			if got := outcomeOf(t, r, record.Key()); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}
