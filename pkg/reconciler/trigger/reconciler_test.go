package trigger

import (
	"context"
	"math"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgotesting "k8s.io/client-go/testing"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/feature"
	sourcesv1 "knative.dev/eventing/pkg/apis/sources/v1"
	triggerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/trigger"
	"knative.dev/eventing/pkg/duck"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/client/injection/ducks/duck/v1/source"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	rtesting "knative.dev/pkg/reconciler/testing"
	"knative.dev/pkg/resolver"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/broker"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/brokerconfig"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/reconcilertest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	namespace  = "shop"
	brokerName = "orders"
	subscriber = "http://subscriber.example/"
)

// readyBroker is our Broker, with its stream and ready.
func readyBroker(change ...func(*eventingv1.Broker)) *eventingv1.Broker {
	b := &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: brokerName, UID: "uid", Generation: 1,
		Annotations: map[string]string{compile.ClassAnnotation: compile.BrokerClass, compile.MaxBytesAnnotation: "8Mi"},
	}}
	b.Status.ObservedGeneration = 1
	b.Status.Conditions = duckv1.Conditions{{Type: apis.ConditionReady, Status: corev1.ConditionTrue},
		{Type: broker.ConditionStream, Status: corev1.ConditionTrue}}
	for _, c := range change {
		c(b)
	}
	return b
}

func newTrigger(name string, change ...func(*eventingv1.Trigger)) *eventingv1.Trigger {
	t := &eventingv1.Trigger{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 1, UID: "uid", Labels: map[string]string{"eventing.knative.dev/broker": brokerName}},
		Spec:       eventingv1.TriggerSpec{Broker: brokerName, Subscriber: uri(subscriber), Filter: &eventingv1.TriggerFilter{}},
	}
	for _, c := range change {
		c(t)
	}
	return t
}

func uri(text string) duckv1.Destination {
	u, _ := apis.ParseURL(text)
	return duckv1.Destination{URI: u}
}

func secure(text string) duckv1.Destination {
	d, certs, audience := uri(text), "certificates", "audience"
	d.CACerts, d.Audience = &certs, &audience
	return d
}

func service(name string) duckv1.Destination {
	return duckv1.Destination{Ref: &duckv1.KReference{APIVersion: "v1", Kind: "Service", Namespace: namespace, Name: name}}
}

func to(d duckv1.Destination) func(*eventingv1.Trigger) {
	return func(t *eventingv1.Trigger) { t.Spec.Subscriber = d }
}

func withSink(d duckv1.Destination) func(*eventingv1.Trigger) {
	return func(t *eventingv1.Trigger) { t.Spec.Delivery = &eventingduckv1.DeliverySpec{DeadLetterSink: &d} }
}

func dependingOn(name string) func(*eventingv1.Trigger) {
	return func(t *eventingv1.Trigger) {
		t.Annotations = map[string]string{eventingv1.DependencyAnnotation: `{"kind":"PingSource","name":"` + name + `","apiVersion":"sources.knative.dev/v1"}`}
	}
}

func brokerSink(resolved bool) func(*eventingv1.Broker) {
	return func(b *eventingv1.Broker) {
		sink := service("dls")
		b.Spec.Delivery = &eventingduckv1.DeliverySpec{DeadLetterSink: &sink}
		if resolved {
			b.Status.DeadLetterSinkURI = uri("http://dls.example/").URI
		}
	}
}

func pingSource(name string, observed int64, ready corev1.ConditionStatus) *sourcesv1.PingSource {
	s := &sourcesv1.PingSource{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: 2},
		TypeMeta: metav1.TypeMeta{APIVersion: "sources.knative.dev/v1", Kind: "PingSource"}}
	s.Status.ObservedGeneration = observed
	s.Status.Conditions = duckv1.Conditions{{Type: apis.ConditionReady, Status: ready, Reason: "Why", Message: "because"}}
	return s
}

// statusOf is the status of a Trigger that is ready in all; change is for what differs.
func statusOf(t *eventingv1.Trigger, change func(*eventingv1.TriggerStatus)) *eventingv1.Trigger {
	want := t.DeepCopy()
	s := &want.Status
	s.InitializeConditions()
	s.ObservedGeneration = t.Generation
	s.PropagateBrokerCondition(&apis.Condition{Status: corev1.ConditionTrue})
	s.SubscriberURI = uri(subscriber).URI
	s.MarkSubscriberResolvedSucceeded()
	s.MarkDeadLetterSinkNotConfigured()
	s.MarkDependencySucceeded()
	s.MarkOIDCIdentityCreatedSucceededWithReason("authentication-oidc feature disabled", "")
	want.GetConditionSet().Manage(s).MarkTrue(eventingv1.TriggerConditionSubscribed)
	if change != nil {
		change(s)
	}
	return want
}

type row struct {
	name    string
	trigger *eventingv1.Trigger
	// broker defaults to readyBroker; others are there besides.
	broker  *eventingv1.Broker
	others  []runtime.Object
	view    *readiness.View
	flags   feature.Flags
	want    func(*eventingv1.TriggerStatus)
	unready bool
	// requeued rows are tried again without a change.
	requeued bool
	// untouched rows are not ours to change.
	untouched bool
}

func rows() []row {
	since := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	unsubscribed := func(mark func(*eventingv1.TriggerStatus)) func(*eventingv1.TriggerStatus) {
		return func(s *eventingv1.TriggerStatus) {
			(&eventingv1.Trigger{}).GetConditionSet().Manage(s).MarkUnknown(eventingv1.TriggerConditionSubscribed, "", "")
			mark(s)
		}
	}
	return []row{
		{name: "all is well", trigger: newTrigger("well")},
		{name: "subscriber by reference", trigger: newTrigger("service", to(service("s"))),
			others: []runtime.Object{&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "s"}}},
			want:   func(s *eventingv1.TriggerStatus) { s.SubscriberURI = uri("http://s.shop.svc.cluster.local").URI }},
		{name: "a subscriber that nobody can call is ready with a dead letter sink", trigger: newTrigger("bad", to(uri("bad://uri")), withSink(uri("http://own.example/"))),
			want: func(s *eventingv1.TriggerStatus) {
				s.SubscriberURI, s.DeadLetterSinkURI = uri("bad://uri").URI, uri("http://own.example/").URI
				s.MarkDeadLetterSinkResolvedSucceeded()
			}},
		{name: "a subscriber with certificates and an audience", trigger: newTrigger("secure", to(secure("https://s.example/"))),
			want: func(s *eventingv1.TriggerStatus) {
				d := secure("https://s.example/")
				s.SubscriberURI, s.SubscriberCACerts, s.SubscriberAudience = d.URI, d.CACerts, d.Audience
			}},
		{name: "a dead letter sink with certificates and an audience", trigger: newTrigger("securesink", withSink(secure("https://d.example/"))),
			want: func(s *eventingv1.TriggerStatus) {
				d := secure("https://d.example/")
				s.DeadLetterSinkURI, s.DeadLetterSinkCACerts, s.DeadLetterSinkAudience = d.URI, d.CACerts, d.Audience
				s.MarkDeadLetterSinkResolvedSucceeded()
			}},
		{name: "own dead letter sink", trigger: newTrigger("sink", withSink(uri("http://own.example/"))), broker: readyBroker(brokerSink(true)),
			want: func(s *eventingv1.TriggerStatus) {
				s.DeadLetterSinkURI = uri("http://own.example/").URI
				s.MarkDeadLetterSinkResolvedSucceeded()
			}},
		{name: "the Broker's dead letter sink", trigger: newTrigger("brokersink"), broker: readyBroker(brokerSink(true)),
			want: func(s *eventingv1.TriggerStatus) {
				s.DeadLetterSinkURI = uri("http://dls.example/").URI
				s.MarkDeadLetterSinkResolvedSucceeded()
			}},
		{name: "a dependency that is ready", trigger: newTrigger("dependency", dependingOn("ping")),
			others: []runtime.Object{pingSource("ping", 2, corev1.ConditionTrue)}},
		{name: "another namespace", trigger: newTrigger("cross", func(t *eventingv1.Trigger) {
			t.Spec.BrokerRef = &duckv1.KReference{APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Namespace: "elsewhere", Name: brokerName}
		}), broker: readyBroker(func(b *eventingv1.Broker) { b.Namespace = "elsewhere" }), flags: feature.Flags{feature.CrossNamespaceEventLinks: feature.Enabled}},

		{name: "paused by itself", trigger: newTrigger("paused", func(t *eventingv1.Trigger) {
			t.Annotations = map[string]string{compile.PausedAnnotation: "an audit"}
		}), want: func(s *eventingv1.TriggerStatus) {
			readiness.MarkPaused((&eventingv1.Trigger{}).GetConditionSet().Manage(s), "an audit")
		}},
		{name: "paused with its Broker", trigger: newTrigger("pausedbroker"),
			broker: readyBroker(func(b *eventingv1.Broker) { b.Annotations[compile.PausedAnnotation] = "an audit" }),
			want: func(s *eventingv1.TriggerStatus) {
				readiness.MarkPaused((&eventingv1.Trigger{}).GetConditionSet().Manage(s), "its Broker is paused: an audit")
			}},
		{name: "resumed", trigger: newTrigger("resumed", func(t *eventingv1.Trigger) {
			readiness.MarkPaused(t.GetConditionSet().Manage(&t.Status), "an audit")
		}), want: func(s *eventingv1.TriggerStatus) {
			readiness.MarkPaused((&eventingv1.Trigger{}).GetConditionSet().Manage(s), "")
		}},

		{name: "the Broker was made again in another class", trigger: newTrigger("foreign", func(t *eventingv1.Trigger) {
			t.Status.InitializeConditions()
			t.Status.ObservedGeneration = 1
		}), untouched: true,
			broker: readyBroker(func(b *eventingv1.Broker) { b.Annotations[compile.ClassAnnotation] = "MTChannelBasedBroker" })},
		{name: "the Broker is gone", trigger: newTrigger("orphan", func(t *eventingv1.Trigger) { t.Spec.Broker = "gone" }), unready: true,
			want: unsubscribed(func(s *eventingv1.TriggerStatus) {
				(&eventingv1.Trigger{}).GetConditionSet().Manage(s).MarkUnknown(eventingv1.TriggerConditionDeadLetterSinkResolved, "", "")
				s.MarkBrokerFailed(ReasonBrokerMissing, `Broker "gone" does not exist`)
			})},
		{name: "the subscriber has no address, and its old one is not kept", unready: true, requeued: true,
			trigger: newTrigger("nosubscriber", to(service("none")), func(t *eventingv1.Trigger) {
				old := secure(subscriber)
				t.Status.SubscriberURI, t.Status.SubscriberCACerts, t.Status.SubscriberAudience = old.URI, old.CACerts, old.Audience
				t.Status.Auth = &duckv1.AuthStatus{}
			}),
			want: func(s *eventingv1.TriggerStatus) {
				s.SubscriberURI, s.SubscriberCACerts, s.SubscriberAudience, s.Auth = nil, nil, nil, nil
				s.MarkSubscriberResolvedFailed(ReasonUnresolved, `failed to get object shop/none: services "none" not found`)
				s.MarkNotSubscribed(ReasonNotDelivering, `nothing is delivered: subscriber ref Service shop/none is not resolved: `+
					`failed to get object shop/none: services "none" not found`)
			}},
		{name: "a relative subscriber", trigger: newTrigger("relative", to(uri("/path"))), unready: true, requeued: true,
			want: unsubscribed(func(s *eventingv1.TriggerStatus) {
				s.SubscriberURI = nil
				s.MarkSubscriberResolvedFailed(ReasonUnresolved, `URI is not absolute (both scheme and host should be non-empty): "/path"`)
				s.MarkNotSubscribed(ReasonInvalid, "invalid value: /path: spec.subscriber.uri\nmust be an absolute URL with scheme and host")
			})},
		{name: "the dead letter sink has no address", trigger: newTrigger("nosink", withSink(service("none"))), unready: true, requeued: true,
			want: func(s *eventingv1.TriggerStatus) {
				s.MarkDeadLetterSinkResolvedFailed(ReasonSinkUnresolved, `failed to get object shop/none: services "none" not found`)
				s.MarkNotSubscribed(ReasonNotDelivering, `nothing is delivered: dead letter sink ref Service shop/none is not resolved: `+
					`failed to get object shop/none: services "none" not found`)
			}},
		{name: "the Broker's dead letter sink has no address", trigger: newTrigger("nobrokersink"), broker: readyBroker(brokerSink(false)), unready: true,
			want: func(s *eventingv1.TriggerStatus) {
				why := "the dead letter sink of Broker orders has no address"
				s.MarkDeadLetterSinkResolvedFailed(ReasonSinkUnresolved, "%s", why)
				s.MarkNotSubscribed(ReasonNotDelivering, "nothing is delivered: dead letter sink ref Service shop/dls is not resolved: %s", why)
			}},
		{name: "no such dependency", trigger: newTrigger("nodependency", dependingOn("none")), unready: true,
			want: func(s *eventingv1.TriggerStatus) {
				s.MarkDependencyFailed(ReasonDependencyMissing, "PingSource none does not exist")
			}},
		{name: "a dependency that is not ready", trigger: newTrigger("waits", dependingOn("ping")), unready: true,
			others: []runtime.Object{pingSource("ping", 2, corev1.ConditionFalse)},
			want:   func(s *eventingv1.TriggerStatus) { s.MarkDependencyFailed("Why", "because") }},
		{name: "a dependency that lags behind", trigger: newTrigger("lags", dependingOn("ping")),
			others: []runtime.Object{pingSource("ping", 1, corev1.ConditionTrue)},
			want: func(s *eventingv1.TriggerStatus) {
				s.MarkDependencyUnknown(ReasonDependencyStale, "PingSource ping is at generation 2 and its status at 1")
			}},
		{name: "OIDC is on", trigger: newTrigger("oidc"), flags: feature.Flags{feature.OIDCAuthentication: feature.Enabled}, unready: true,
			want: func(s *eventingv1.TriggerStatus) {
				s.MarkOIDCIdentityCreatedFailed(ReasonOIDC, "the feature authentication-oidc is on and is not supported yet")
			}},
		{name: "a filter that does not compile", trigger: newTrigger("filter", func(t *eventingv1.Trigger) {
			t.Spec.Filters = []eventingv1.SubscriptionsAPIFilter{{CESQL: "type ="}}
		}), unready: true, want: nil},
		{name: "the Broker has no stream yet", trigger: newTrigger("early"),
			broker: readyBroker(func(b *eventingv1.Broker) { b.Status.Conditions = b.Status.Conditions[:1] }),
			want: func(s *eventingv1.TriggerStatus) {
				s.MarkSubscribedUnknown(ReasonWaitsForBroker, "the stream of Broker orders is not there yet")
			}},
		{name: "the Broker has no room for dead letters", trigger: newTrigger("noletters"),
			broker: readyBroker(func(b *eventingv1.Broker) {
				b.Status.Conditions[1].Status, b.Status.Conditions[1].Reason = corev1.ConditionFalse, address.ReasonNoDeadLetters
			}), want: func(*eventingv1.TriggerStatus) {}},
		{name: "the Broker keeps a limit of its dead letters", trigger: newTrigger("lettersstay"),
			broker: readyBroker(func(b *eventingv1.Broker) {
				b.Status.Conditions[1].Status, b.Status.Conditions[1].Reason = corev1.ConditionFalse, address.ReasonLettersKept
			}), want: func(*eventingv1.TriggerStatus) {}},
		{name: "a change that comes while the Broker has no stream is not served yet", trigger: newTrigger("changedearly", func(t *eventingv1.Trigger) {
			t.Generation, t.Status.ObservedGeneration = 2, 1
			(&eventingv1.Trigger{}).GetConditionSet().Manage(&t.Status).MarkTrue(eventingv1.TriggerConditionSubscribed)
		}), broker: readyBroker(func(b *eventingv1.Broker) { b.Status.Conditions = b.Status.Conditions[:1] }),
			want: func(s *eventingv1.TriggerStatus) {
				s.ObservedGeneration = 2
				s.MarkSubscribedUnknown(ReasonWaitsForBroker, "the stream of Broker orders is not there yet")
			}},
		{name: "NATS is away", trigger: newTrigger("away"), view: &readiness.View{Known: true, Outage: &readiness.Outage{Since: since, Why: "refused"}},
			want: func(s *eventingv1.TriggerStatus) {
				s.MarkSubscribedUnknown(ReasonNATSAway, "NATS cannot be used since 2026-11-22T10:00:00Z: refused")
			}},
		{name: "a change that comes while NATS is away is not served yet", trigger: newTrigger("changed", func(t *eventingv1.Trigger) {
			t.Generation, t.Status.ObservedGeneration = 2, 1
			(&eventingv1.Trigger{}).GetConditionSet().Manage(&t.Status).MarkTrue(eventingv1.TriggerConditionSubscribed)
		}), view: &readiness.View{Known: true, Outage: &readiness.Outage{Since: since, Why: "refused"}},
			want: func(s *eventingv1.TriggerStatus) {
				s.ObservedGeneration = 2
				s.MarkSubscribedUnknown(ReasonNATSAway, "NATS cannot be used since 2026-11-22T10:00:00Z: refused")
			}},
		{name: "nor one that comes before anything is known", trigger: newTrigger("unknown", func(t *eventingv1.Trigger) {
			t.Generation, t.Status.ObservedGeneration = 2, 1
			(&eventingv1.Trigger{}).GetConditionSet().Manage(&t.Status).MarkTrue(eventingv1.TriggerConditionSubscribed)
		}), view: &readiness.View{}, want: func(s *eventingv1.TriggerStatus) {
			s.ObservedGeneration = 2
			s.MarkSubscribedUnknown(readiness.ReasonNotKnown, "what the data plane reports has not been read yet")
		}},
		{name: "no filter", trigger: newTrigger("nofilter"), view: &readiness.View{Known: true},
			want: func(s *eventingv1.TriggerStatus) {
				s.MarkSubscribedUnknown(readiness.ReasonNoProcess, "no filter is known to be live: none has a report that is younger than 30s")
			}},
	}
}

func TestReconcile(t *testing.T) {
	owner, client := reconcilertest.Owner(t)
	made, err := client.BucketMade(t.Context(), client.Names().RoutesBucket())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*eventingv1.Broker{readyBroker(), readyBroker(func(b *eventingv1.Broker) { b.Namespace = "elsewhere" })} {
		a, err := compile.Broker(b, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := owner.PutAddress(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	var table rtesting.TableTest
	for _, r := range append(rows(), filterRows()...) {
		table = append(table, r.tableRow())
	}
	table.Test(t, reconcilertest.Factory(func(ctx context.Context, row *rtesting.TableRow, w reconcilertest.World) controller.Reconciler {
		return build(ctx, row, builtFrom{w, owner, made})
	}))
	checkRoutes(t, client)
}

func (r row) tableRow() rtesting.TableRow {
	if r.broker == nil {
		r.broker = readyBroker()
	}
	view := readiness.View{Known: true, Reports: []route.Report{{Role: route.RoleFilter, ID: "f", Revision: math.MaxUint64}}}
	if r.view != nil {
		view = *r.view
	}
	out := rtesting.TableRow{
		Name: r.name, Key: namespace + "/" + r.trigger.Name, WantErr: r.requeued,
		Objects:       append([]runtime.Object{r.trigger, r.broker}, r.others...),
		OtherTestData: map[string]any{"view": view, "flags": r.flags},
	}
	if r.untouched {
		return out
	}
	want := statusOf(r.trigger, r.want)
	if r.name == "a filter that does not compile" {
		want.Status.MarkNotSubscribed(ReasonInvalid, "%s", compileError(r.trigger, r.broker))
	}
	out.WantStatusUpdates = []clientgotesting.UpdateActionImpl{{Object: want}}
	top := want.Status.GetTopLevelCondition()
	switch {
	case top.IsTrue():
		out.WantEvents = []string{rtesting.Eventf(corev1.EventTypeNormal, "TriggerReady", "the Trigger is ready")}
	case r.unready:
		out.WantEvents = []string{rtesting.Eventf(corev1.EventTypeWarning, "TriggerNotReady", "%s: %s", top.Reason, top.Message)}
	}
	return out
}

// compileError is what pkg/compile says; its own tests say what that should be.
func compileError(t *eventingv1.Trigger, b *eventingv1.Broker) string {
	_, err := compile.Trigger(t, b, compile.Options{})
	return err.Error()
}

type builtFrom struct {
	reconcilertest.World
	owner *owner.Owner
	// made is when the routes bucket was.
	made time.Time
}

func build(ctx context.Context, row *rtesting.TableRow, w builtFrom) controller.Reconciler {
	row.Ctx = feature.ToContext(row.Ctx, row.OtherTestData["flags"].(feature.Flags))
	r := &Reconciler{
		routes: w.owner, board: readiness.Fixed(reconcilertest.InBucket(row.OtherTestData["view"].(readiness.View), w.made)), brokers: w.Brokers, deleted: func() {},
		configs:  brokerconfig.Reader{ConfigMaps: w.ConfigMaps, Tracker: w.Tracker},
		resolver: resolver.NewURIResolverFromTracker(ctx, w.Tracker),
		sources:  duck.NewListableTrackerFromTracker(ctx, source.Get, w.Tracker),
	}
	return triggerreconciler.NewReconciler(ctx, logging.FromContext(ctx), w.Client, w.Triggers, w.Recorder, r)
}
