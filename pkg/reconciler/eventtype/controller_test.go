package eventtype

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgotesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/eventing/pkg/client/clientset/versioned/fake"
	fakeeventingclient "knative.dev/eventing/pkg/client/injection/client/fake"
	eventtypeinformer "knative.dev/eventing/pkg/client/injection/informers/eventing/v1beta3/eventtype"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	rtesting "knative.dev/pkg/reconciler/testing"

	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/broker/fake"
	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1/trigger/fake"
	_ "knative.dev/eventing/pkg/client/injection/informers/eventing/v1beta3/eventtype/fake"

	_ "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/client/fake"
	_ "github.com/eventing-jetstream/eventing-jetstream/pkg/client/injection/informers/messaging/v1alpha1/natsjetstreamchannel/fake"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/reconcilertest"
)

const patience = 20 * time.Second

// world is the controller on fake clients with working watches, and a real NATS that the test writes records into.
type world struct {
	t        *testing.T
	ctx      context.Context
	client   *jetstream.Client
	api      *fake.Clientset
	features *configmap.ManualWatcher
	events   *record.FakeRecorder
}

// start runs the controller until the test ends. The objects are there from the beginning, the feature is off.
func start(t *testing.T, objects ...runtime.Object) *world {
	t.Helper()
	w := &world{t: t, features: &configmap.ManualWatcher{Namespace: "knative-testing"}, events: record.NewFakeRecorder(100)}
	_, w.client = reconcilertest.Owner(t)
	ctx, cancel, informers := rtesting.SetupFakeContextWithCancel(t, func(ctx context.Context) context.Context {
		return controller.WithEventRecorder(ctx, w.events)
	})
	w.ctx, w.api = ctx, fakeeventingclient.Get(ctx)
	for _, o := range objects {
		must(t, w.api.Tracker().Add(o))
	}
	impl, follower := NewController(ctx, w.features, buckets.NewEventTypes(w.client))
	wait, err := rtesting.RunAndSyncInformers(ctx, informers...)
	must(t, err)
	var running sync.WaitGroup
	running.Go(func() { _ = controller.StartAll(ctx, impl) })
	running.Go(func() { follower.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		wait()
	})
	return w
}

func (w *world) turn(value feature.Flag) {
	w.features.OnChange(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "knative-testing", Name: feature.FlagsConfigName},
		Data:       map[string]string{feature.EvenTypeAutoCreate: string(value)},
	})
}

func (w *world) put(r eventtype.Record) {
	w.t.Helper()
	must(w.t, routes.NewEventTypes(w.client).PutEventType(w.ctx, r))
}

// types lists the types of the EventTypes that are there.
func (w *world) types() []string {
	w.t.Helper()
	list, err := w.api.EventingV1beta3().EventTypes(namespace).List(w.ctx, metav1.ListOptions{})
	must(w.t, err)
	var types []string
	for _, e := range list.Items {
		types = append(types, e.Spec.Attributes[0].Value)
	}
	return types
}

func (w *world) awaitTypes(want ...string) {
	w.t.Helper()
	w.await(fmt.Sprintf("EventTypes %v", want), func() (bool, any) {
		got := w.types()
		return fmt.Sprint(sorted(got)) == fmt.Sprint(sorted(want)), got
	})
}

func (w *world) await(what string, condition func() (bool, any)) {
	w.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		ok, seen := condition()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-end.C:
			w.t.Fatalf("waited %s in vain: %s; last seen: %v", patience, what, seen)
		}
	}
}

func TestWhatWasSeenIsDescribed(t *testing.T) {
	orders, billing := brokerNamed("orders"), triggerOf("billing", "orders")
	w := start(t, orders, billing)
	w.turn(feature.Enabled)
	w.await("the bucket is made", func() (bool, any) {
		err := routes.NewEventTypes(w.client).PutEventType(w.ctx, recordOf(orders, "made"))
		return err == nil, err
	})
	w.awaitTypes("made")
	w.put(replyOf(billing, orders, "paid"))
	w.put(recordOf(orders, "made"))
	w.put(recordOf(orders, "paid"))
	w.awaitTypes("made", "paid", "paid")

	// What somebody deletes is made again when it is seen again.
	list, err := w.api.EventingV1beta3().EventTypes(namespace).List(w.ctx, metav1.ListOptions{})
	must(t, err)
	for _, e := range list.Items {
		must(t, w.api.EventingV1beta3().EventTypes(namespace).Delete(w.ctx, e.Name, metav1.DeleteOptions{}))
	}
	w.await("the cache is empty", func() (bool, any) {
		have := eventtypeinformer.Get(w.ctx).Informer().GetStore().ListKeys()
		return len(have) == 0, have
	})
	w.put(recordOf(orders, "made"))
	w.awaitTypes("made")
}

func TestTheFeatureIsTurnedOnAndOff(t *testing.T) {
	orders := brokerNamed("orders")
	w := start(t, orders)
	must(t, buckets.NewEventTypes(w.client).EnsureEventTypes(w.ctx))
	w.put(recordOf(orders, "before"))
	w.turn(feature.Disabled)
	w.turn(feature.Enabled)
	w.awaitTypes("before")
	w.turn(feature.Disabled)
	w.put(recordOf(orders, "meanwhile"))
	w.put(recordOf(orders, "before"))
	w.turn(feature.Enabled)
	w.awaitTypes("before", "meanwhile")
}

// While the feature is off there is not even a bucket, and what another left in it is not looked at.
func TestNothingIsMadeWhileTheFeatureIsOff(t *testing.T) {
	orders := brokerNamed("orders")
	records := &fixed{seen: buckets.SeenEventType{Record: recordOf(orders, "made"), At: time.Now()}}
	r := newReconciler(t, records, feature.Disabled, orders)
	if err := r.Reconcile(t.Context(), records.seen.Key()); err != nil || records.reads > 0 {
		t.Errorf("error %v, %d reads", err, records.reads)
	}
	f := &Follower{records: records, enabled: r.enabled, wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }()
	f.again()
	cancel()
	<-ended
	if records.made > 0 {
		t.Error("a bucket was made")
	}
}

func TestFailuresOfTheAPIAreRetried(t *testing.T) {
	orders := brokerNamed("orders")
	w := start(t, orders)
	must(t, buckets.NewEventTypes(w.client).EnsureEventTypes(w.ctx))
	var mu sync.Mutex
	failures := 3
	w.api.PrependReactor("create", "eventtypes", func(clientgotesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		failures--
		return failures >= 0, nil, errors.New("the API server is away")
	})
	w.put(recordOf(orders, "made"))
	w.turn(feature.Enabled)
	w.awaitTypes("made")
}

func TestAMadeUpNumberOfTypesIsBounded(t *testing.T) {
	orders, other := brokerNamed("orders"), brokerNamed("other")
	objects := []runtime.Object{orders, other}
	for n := range eventtype.MaxPerAddress {
		objects = append(objects, objectOf(recordOf(orders, fmt.Sprintf("type-%d", n)), ofBroker(orders)))
	}
	w := start(t, objects...)
	must(t, buckets.NewEventTypes(w.client).EnsureEventTypes(w.ctx))
	for _, r := range []eventtype.Record{recordOf(orders, "one more"), recordOf(orders, "yet one more"), recordOf(other, "of another")} {
		w.put(r)
	}
	w.turn(feature.Enabled)
	w.await("the other Broker has room", func() (bool, any) { got := w.types(); return len(got) == eventtype.MaxPerAddress+1, len(got) })
	for _, name := range w.types() {
		if strings.Contains(name, "one more") {
			t.Errorf("%q was made", name)
		}
	}
	if said := <-w.events.Events; !strings.Contains(said, ReasonLimit) || len(w.events.Events) > 0 {
		t.Errorf("said %q, and %d more", said, len(w.events.Events))
	}
}

func sorted(texts []string) map[string]int {
	counts := map[string]int{} // fmt prints maps in order
	for _, text := range texts {
		counts[text]++
	}
	return counts
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
