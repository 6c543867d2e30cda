package channel

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjetstream "github.com/nats-io/nats.go/jetstream"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/eventing/pkg/apis/feature"
	eventingv1alpha1listers "knative.dev/eventing/pkg/client/listers/eventing/v1alpha1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/client/injection/ducks/duck/v1/addressable"
	"knative.dev/pkg/controller"
	fakedynamicclient "knative.dev/pkg/injection/clients/dynamicclient/fake"
	logtesting "knative.dev/pkg/logging/testing"
	"knative.dev/pkg/resolver"
	"knative.dev/pkg/tracker"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/reconcilertest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

const (
	namespace   = "shop"
	ingressHost = "ingress.example"
)

// world is a reconciler on fake clients and a real NATS.
type world struct {
	ctx     context.Context
	r       *Reconciler
	server  *natstest.Server
	nats    *jetstream.Client
	kube    *fake.Clientset
	deleted int
}

// newWorld has these Services, and a data plane that reports as in the view.
func newWorld(t *testing.T, view readiness.View, services ...*corev1.Service) *world {
	t.Helper()
	server := natstest.Start(t, nil)
	owner, client := reconcilertest.OwnerIn(t, server)
	w := &world{server: server, nats: client, kube: fake.NewClientset()}
	ctx, _ := fakedynamicclient.With(logtesting.TestContextWithLogger(t), scheme.Scheme)
	w.ctx = controller.WithEventRecorder(feature.ToContext(addressable.WithDuck(ctx), feature.Flags{}), record.NewFakeRecorder(100))
	indexer := func() cache.Indexer {
		return cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	}
	cached := indexer()
	for _, s := range services {
		if err := cached.Add(s); err != nil {
			t.Fatal(err)
		}
		if err := w.kube.Tracker().Add(s); err != nil {
			t.Fatal(err)
		}
	}
	made, err := client.BucketMade(t.Context(), client.Names().RoutesBucket())
	if err != nil {
		t.Fatal(err)
	}
	board := readiness.Fixed(reconcilertest.InBucket(view, made))
	w.r = &Reconciler{
		steps: address.Steps{Routes: owner, Board: board, Policies: eventingv1alpha1listers.NewEventPolicyLister(indexer()),
			Live: func(context.Context, types.NamespacedName) (types.UID, error) { return "uid", nil }},
		routes: owner, board: board, services: corev1listers.NewServiceLister(cached), client: w.kube, ingressHost: ingressHost,
		resolver: resolver.NewURIResolverFromTracker(w.ctx, tracker.New(func(types.NamespacedName) {}, time.Hour)),
		deleted:  func() { w.deleted++ },
	}
	return w
}

func live() readiness.View {
	return readiness.View{Known: true, Reports: []route.Report{
		{Role: route.RoleIngress, ID: "i", Revision: math.MaxUint64}, {Role: route.RoleFilter, ID: "f", Revision: math.MaxUint64},
	}}
}

func newChannel(change ...func(*v1alpha1.NatsJetStreamChannel)) *v1alpha1.NatsJetStreamChannel {
	c := &v1alpha1.NatsJetStreamChannel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "orders", UID: "uid", Generation: 1}}
	c.Spec.Stream = &v1alpha1.Stream{Config: &v1alpha1.StreamConfig{MaxBytes: 1 << 20}}
	for _, f := range change {
		f(c)
	}
	address.Of(c).Conditions.InitializeConditions()
	return c
}

func withSubscribers(list ...eventingduckv1.SubscriberSpec) func(*v1alpha1.NatsJetStreamChannel) {
	return func(c *v1alpha1.NatsJetStreamChannel) { c.Spec.Subscribers = list }
}

func subscriberOf(uid, url string) eventingduckv1.SubscriberSpec {
	to, _ := apis.ParseURL(url)
	return eventingduckv1.SubscriberSpec{UID: types.UID(uid), Generation: 3, SubscriberURI: to}
}

func withSink(d duckv1.Destination) func(*v1alpha1.NatsJetStreamChannel) {
	return func(c *v1alpha1.NatsJetStreamChannel) {
		c.Spec.Delivery = &eventingduckv1.DeliverySpec{DeadLetterSink: &d}
	}
}

// reconcile returns whether it is to be tried again.
func (w *world) reconcile(t *testing.T, c *v1alpha1.NatsJetStreamChannel) bool {
	t.Helper()
	err := w.r.ReconcileKind(w.ctx, c)
	again, _ := controller.IsRequeueKey(err)
	if err != nil && !again {
		t.Fatal(err)
	}
	return again
}

func TestReadyChannel(t *testing.T) {
	w, sink := newWorld(t, live()), apis.HTTP("sink.example")
	c := newChannel(withSubscribers(subscriberOf("one", "http://one/"), subscriberOf("two", "http://two/")), withSink(duckv1.Destination{URI: sink}))
	if w.reconcile(t, c) {
		t.Error("it is tried again")
	}
	if !c.Status.GetCondition(apis.ConditionReady).IsTrue() || !c.Status.GetCondition(v1alpha1.ConditionHonoured).IsTrue() {
		t.Errorf("%+v", c.Status.Conditions)
	}
	if url := c.Status.Address.URL.String(); url != "http://orders-kn-jsm-channel.shop.svc.cluster.local" || len(c.Status.Addresses) != 1 {
		t.Errorf("%+v", c.Status.AddressStatus)
	}
	if c.Status.DeadLetterSinkURI.String() != sink.String() {
		t.Errorf("dead letter sink %v", c.Status.DeadLetterSinkURI)
	}
	want := []eventingduckv1.SubscriberStatus{
		{UID: "one", ObservedGeneration: 3, Ready: corev1.ConditionTrue}, {UID: "two", ObservedGeneration: 3, Ready: corev1.ConditionTrue},
	}
	if !slices.Equal(c.Status.Subscribers, want) {
		t.Errorf("%+v", c.Status.Subscribers)
	}
	records, err := routes.Records(w.ctx, w.nats, "")
	if err != nil || len(records) != 3 {
		t.Fatalf("%d routes, %v", len(records), err)
	}
	for _, r := range records {
		if r.Address != nil && !slices.Equal(r.Address.Hosts, hosts(c)) {
			t.Errorf("hosts %v", r.Address.Hosts)
		}
		if r.Target != nil && (r.Target.DeadLetter == nil || r.Target.DeadLetter.URL != sink.String()) {
			t.Errorf("%s: dead letters go to %+v", r.Target.Key, r.Target.DeadLetter)
		}
	}
	before := c.DeepCopy()
	if w.reconcile(t, c); !equality.Semantic.DeepEqual(before.Status, c.Status) {
		t.Errorf("a second reconciliation changes\n%+v\nto\n%+v", before.Status, c.Status)
	}
}

// What keeps a channel from being ready is in the condition whose step found it.
func TestConditions(t *testing.T) {
	since := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		view      readiness.View
		channel   *v1alpha1.NatsJetStreamChannel
		condition apis.ConditionType
		want      apis.Condition
	}{
		"the sink is missing": {live(), newChannel(withSink(duckv1.Destination{Ref: &duckv1.KReference{APIVersion: "v1", Kind: "Service", Name: "none"}})),
			v1alpha1.ConditionDeadLetterSink, apis.Condition{Status: corev1.ConditionFalse, Reason: ReasonUnresolved}},
		"an annotation of ours that is none": {live(), newChannel(func(c *v1alpha1.NatsJetStreamChannel) {
			c.Annotations = map[string]string{"jetstream.eventing.knative.dev/colour": "red"}
		}), v1alpha1.ConditionStream, apis.Condition{Status: corev1.ConditionFalse, Reason: ReasonInvalid}},
		"NATS is away": {readiness.View{Known: true, Outage: &readiness.Outage{Since: since, Why: "refused"}}, newChannel(),
			v1alpha1.ConditionNATS, apis.Condition{Status: corev1.ConditionFalse, Reason: address.ReasonNATSAway}},
		"nobody serves": {readiness.View{Known: true}, newChannel(),
			v1alpha1.ConditionIngress, apis.Condition{Status: corev1.ConditionUnknown, Reason: readiness.ReasonNoProcess}},
		"the stream to adopt is missing": {live(), newChannel(func(c *v1alpha1.NatsJetStreamChannel) { c.Spec.Stream.OverrideName = "NONE" }),
			v1alpha1.ConditionStream, apis.Condition{Status: corev1.ConditionFalse, Reason: address.ReasonNotStored}},
		"fields are ignored": {live(), newChannel(func(c *v1alpha1.NatsJetStreamChannel) { c.Spec.Stream.Config.MaxMsgs = 7 }),
			v1alpha1.ConditionHonoured, apis.Condition{Status: corev1.ConditionFalse, Reason: ReasonIgnored}},
	} {
		t.Run(name, func(t *testing.T) {
			newWorld(t, c.view).reconcile(t, c.channel)
			got := c.channel.Status.GetCondition(c.condition)
			if got.Status != c.want.Status || got.Reason != c.want.Reason || got.Message == "" {
				t.Errorf("%+v", got)
			}
			if ready := c.channel.Status.GetCondition(apis.ConditionReady); ready.IsTrue() != (c.condition == v1alpha1.ConditionHonoured) {
				t.Errorf("%+v", ready)
			}
		})
	}
}

func makeStream(t *testing.T, w *world, name, subject string) {
	t.Helper()
	connection, err := nats.Connect(w.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	js, err := natsjetstream.New(connection)
	if err == nil {
		_, err = js.CreateStream(w.ctx, natsjetstream.StreamConfig{Name: name, Subjects: []string{subject}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A stream that others look after and that does not listen to us is read, and takes nothing that comes by HTTP.
func TestAdoptedStreamThatDoesNotListen(t *testing.T) {
	w := newWorld(t, live())
	makeStream(t, w, "NATIVE", "native.>")
	c := newChannel(func(c *v1alpha1.NatsJetStreamChannel) { c.Spec.Stream = &v1alpha1.Stream{OverrideName: "NATIVE"} },
		withSubscribers(subscriberOf("one", "http://one/")))
	w.reconcile(t, c)
	if got := c.Status.GetCondition(v1alpha1.ConditionIngress); got.Reason != ReasonNotListening || !c.Status.GetCondition(v1alpha1.ConditionStream).IsTrue() {
		t.Errorf("%+v", c.Status.Conditions)
	}
	if s := c.Status.Subscribers; len(s) != 1 || s[0].Ready != corev1.ConditionTrue {
		t.Errorf("%+v", s)
	}
}

func TestSubscribersReadiness(t *testing.T) {
	behind := readiness.View{Known: true, Reports: []route.Report{{Role: route.RoleIngress, ID: "i", Revision: math.MaxUint64}, {Role: route.RoleFilter, ID: "f"}}}
	w := newWorld(t, behind)
	odd := eventingduckv1.SubscriberSpec{UID: "odd", SubscriberURI: &apis.URL{Scheme: "http", Host: "no host"}}
	none := eventingduckv1.SubscriberSpec{UID: "none"}
	c := newChannel(withSubscribers(subscriberOf("one", "http://one/"), odd, none))
	w.reconcile(t, c)
	got := c.Status.Subscribers
	if len(got) != 3 || got[0].Ready != corev1.ConditionUnknown || !strings.Contains(got[0].Message, readiness.ReasonNotApplied) ||
		got[1].Ready != corev1.ConditionFalse || got[2].Ready != corev1.ConditionFalse || !strings.Contains(got[2].Message, "neither") {
		t.Errorf("%+v", got)
	}
	if !c.Status.GetCondition(apis.ConditionReady).IsTrue() {
		t.Errorf("a subscriber keeps the channel from being ready: %+v", c.Status.Conditions)
	}
}

// While NATS is away, what was known of a subscriber stays, and of a new one nothing is said.
func TestSubscribersDuringAnOutage(t *testing.T) {
	w := newWorld(t, readiness.View{Known: true, Outage: &readiness.Outage{Since: time.Now(), Why: "refused"}})
	c := newChannel(withSubscribers(subscriberOf("one", "http://one/"), subscriberOf("new", "http://new/")))
	c.Status.Subscribers = []eventingduckv1.SubscriberStatus{{UID: "gone"}, {UID: "one", ObservedGeneration: 3, Ready: corev1.ConditionTrue}}
	w.reconcile(t, c)
	got := c.Status.Subscribers
	if len(got) != 2 || got[0].Ready != corev1.ConditionTrue || got[1].Ready != corev1.ConditionUnknown || w.deleted != 1 {
		t.Errorf("%+v, told %d times that one is gone", got, w.deleted)
	}
}

func TestServices(t *testing.T) {
	other := newChannel(func(c *v1alpha1.NatsJetStreamChannel) { c.UID = "before" })
	right, moved, predecessors := serviceOf(newChannel(), ingressHost), serviceOf(newChannel(), "old.example"), serviceOf(other, ingressHost)
	foreign := serviceOf(newChannel(), ingressHost)
	foreign.OwnerReferences = nil
	for name, c := range map[string]struct {
		have   *corev1.Service
		want   string // the verb of the change
		reason string
	}{
		"there is none":        {nil, "create", ""},
		"as it should be":      {right, "", ""},
		"another ingress":      {moved, "update", ""},
		"of the one before it": {predecessors, "update", ""},
		"somebody's":           {foreign, "", ReasonForeign},
	} {
		t.Run(name, func(t *testing.T) {
			var have []*corev1.Service
			if c.have != nil {
				have = append(have, c.have)
			}
			w, channel := newWorld(t, live(), have...), newChannel()
			again := w.reconcile(t, channel)
			got := ""
			for _, action := range w.kube.Actions() {
				if verb := action.GetVerb(); verb != "get" {
					got += verb
				}
			}
			condition := channel.Status.GetCondition(v1alpha1.ConditionAddressable)
			if got != c.want || condition.GetReason() != c.reason || condition.IsTrue() != (c.reason == "") || again != (c.reason != "") {
				t.Errorf("%q, %+v, again %t", got, condition, again)
			}
			if c.reason != "" {
				return
			}
			after, err := w.kube.CoreV1().Services(namespace).Get(w.ctx, right.Name, metav1.GetOptions{})
			if err != nil || !metav1.IsControlledBy(after, channel) || after.Spec.ExternalName != ingressHost {
				t.Errorf("%+v, %v", after, err)
			}
		})
	}
}

// A Service of this name that the cache lacks, for instance because its label was taken away, is found all the same.
func TestServiceThatIsNotCached(t *testing.T) {
	w, c := newWorld(t, live()), newChannel()
	bare := serviceOf(c, ingressHost)
	bare.Labels = nil
	if err := w.kube.Tracker().Add(bare); err != nil {
		t.Fatal(err)
	}
	w.reconcile(t, c)
	after, err := w.kube.CoreV1().Services(namespace).Get(w.ctx, bare.Name, metav1.GetOptions{})
	if err != nil || after.Labels[roleLabel] != role || !c.Status.GetCondition(v1alpha1.ConditionAddressable).IsTrue() {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestLongNamesHaveAService(t *testing.T) {
	c := newChannel(func(c *v1alpha1.NatsJetStreamChannel) { c.Name = strings.Repeat("n", 63) })
	if name := serviceName(c); len(name) > 63 || !strings.HasSuffix(name, serviceSuffix) && len(name) != 63 {
		t.Error(name)
	}
}
