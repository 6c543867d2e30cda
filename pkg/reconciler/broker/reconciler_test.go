package broker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
	"knative.dev/eventing/pkg/apis/feature"
	brokerreconciler "knative.dev/eventing/pkg/client/injection/reconciler/eventing/v1/broker"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"
	rtesting "knative.dev/pkg/reconciler/testing"
	"knative.dev/pkg/resolver"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/brokerconfig"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/reconcilertest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	namespace = "shop"
	host      = "ingress.example"
)

// Every row has a Broker of its own name, since all rows share one NATS.
func newBroker(name string, change ...func(*eventingv1.Broker)) *eventingv1.Broker {
	b := &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, Generation: 1, UID: "uid",
		Annotations: map[string]string{compile.ClassAnnotation: compile.BrokerClass, compile.MaxBytesAnnotation: "1Mi"},
	}}
	for _, c := range change {
		c(b)
	}
	return b
}

func withConfig(kind, name string) func(*eventingv1.Broker) {
	return func(b *eventingv1.Broker) {
		b.Spec.Config = &duckv1.KReference{APIVersion: "v1", Kind: kind, Namespace: "config", Name: name}
	}
}

func withSink(d duckv1.Destination) func(*eventingv1.Broker) {
	return func(b *eventingv1.Broker) { b.Spec.Delivery = &eventingduckv1.DeliverySpec{DeadLetterSink: &d} }
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
	return duckv1.Destination{Ref: &duckv1.KReference{APIVersion: "v1", Kind: "Service", Name: name}}
}

// withStatus sets the status of a Broker that is ready in all; what differs is in change, by condition.
func withStatus(change map[apis.ConditionType]apis.Condition) func(*eventingv1.Broker) {
	return func(b *eventingv1.Broker) {
		b.Status.InitializeConditions()
		b.Status.ObservedGeneration = b.Generation
		scheme := "http"
		at := duckv1.Addressable{Name: &scheme, URL: &apis.URL{Scheme: scheme, Host: host, Path: "/" + namespace + "/" + b.Name}}
		b.Status.AddressStatus = duckv1.AddressStatus{Address: &at, Addresses: []duckv1.Addressable{at}}
		m := b.GetConditionSet().Manage(&b.Status)
		b.Status.Annotations = map[string]string{address.LogMadeAnnotation: logMade.Format(time.RFC3339Nano)}
		m.MarkTrueWithReason(ConditionConfig, brokerconfig.ReasonNone, "spec.config is not set: defaults apply")
		m.MarkTrueWithReason(ConditionDeadLetterSink, "DeadLetterSinkNotConfigured", "No dead letter sink is configured.")
		m.MarkTrueWithReason(ConditionEventPolicies, address.ReasonNoRestriction, "nothing restricts who may send")
		for _, c := range []apis.ConditionType{ConditionAddressable, ConditionNATS, ConditionStream, ConditionIngress} {
			m.MarkTrue(c)
		}
		for _, c := range []apis.ConditionType{ConditionConfig, ConditionDeadLetterSink, ConditionEventPolicies, ConditionAddressable,
			ConditionNATS, ConditionStream, ConditionIngress} {
			if want, ok := change[c]; ok {
				mark(m, c, want)
			}
		}
	}
}

func mark(m apis.ConditionManager, c apis.ConditionType, want apis.Condition) {
	switch want.Status {
	case corev1.ConditionFalse:
		m.MarkFalse(c, want.Reason, "%s", want.Message)
	case corev1.ConditionUnknown:
		m.MarkUnknown(c, want.Reason, "%s", want.Message)
	default:
		m.MarkTrueWithReason(c, want.Reason, "%s", want.Message)
	}
}

func is(status corev1.ConditionStatus, reason, message string) apis.Condition {
	return apis.Condition{Status: status, Reason: reason, Message: message}
}

// live is a view with one ingress that has applied everything.
func live() readiness.View {
	return readiness.View{Known: true, Reports: []route.Report{{Role: route.RoleIngress, ID: "i", Revision: math.MaxUint64}}}
}

// row keys of OtherTestData.
const (
	viewKey  = "view"
	flagsKey = "flags"
	liveKey  = "live"
	endKey   = "end"
)

// logMade is when, in these tests, every log was made.
var logMade = time.Now().Add(-time.Hour).UTC()

// timedRoutes is the real owner, but for the times that conditions show.
type timedRoutes struct {
	*owner.Owner
	until time.Time
	end   error
	// away is that NATS goes while it is asked.
	away error
}

func (r timedRoutes) Connected() bool { return r.away == nil && r.Owner.Connected() }

func (r timedRoutes) PutAddress(ctx context.Context, a route.Address) (owner.Applied, error) {
	if r.away != nil {
		return owner.Applied{}, r.away
	}
	applied, err := r.Owner.PutAddress(ctx, a)
	if err == nil && applied.LogMade.IsZero() {
		err = errors.New("it is not said when the log was made")
	}
	applied.LogMade = logMade
	switch a.Key.Name {
	case "noroom":
		applied.Lacking = errors.New("no room")
	case "holdsmore":
		applied.Lacking = fmt.Errorf("too small: %w", owner.ErrHoldsMore)
	}
	return applied, err
}

func (r timedRoutes) EndPredecessor(context.Context, route.Address, *owner.PredecessorError) (time.Time, error) {
	return r.until, r.end
}

func withLogMade(at time.Time) func(*eventingv1.Broker) {
	return func(b *eventingv1.Broker) {
		b.Status.Annotations[address.LogMadeAnnotation] = at.Format(time.RFC3339Nano)
	}
}

func TestReconcile(t *testing.T) {
	eventingv1.RegisterAlternateBrokerConditionSet(conditions())
	owner, client := reconcilertest.Owner(t)
	made, err := client.BucketMade(t.Context(), client.Names().RoutesBucket())
	if err != nil {
		t.Fatal(err)
	}
	since := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	rows := rtesting.TableTest{
		{Name: "key of nothing", Key: namespace + "/none"},
		{
			Name: "another class is not touched", Key: namespace + "/other",
			Objects: []runtime.Object{newBroker("other", func(b *eventingv1.Broker) { b.Annotations[compile.ClassAnnotation] = "MTChannelBasedBroker" })},
		},
		ready("all is well", newBroker("well")),
		{
			Name: "nothing changed, nothing is written", Key: namespace + "/same",
			Objects: []runtime.Object{newBroker("same", withStatus(nil))},
		},
		ready("upstream's default ConfigMap is no config", newBroker("mt", withConfig("ConfigMap", "mt")),
			configured(is(corev1.ConditionTrue, brokerconfig.ReasonChannelTemplate,
				"ConfigMap config/mt holds channel-template-spec, which this Broker class does not use: defaults apply")),
			configMap("mt", map[string]string{"channel-template-spec": "kind: InMemoryChannel"})),
		ready("dead letter sink", newBroker("sink", withSink(uri("http://dls.example/"))),
			condition(ConditionDeadLetterSink, is(corev1.ConditionTrue, "", "")), sinkURI("http://dls.example/")),
		ready("dead letter sink with certificates and an audience", newBroker("securesink", withSink(secure("https://dls.example/"))),
			condition(ConditionDeadLetterSink, is(corev1.ConditionTrue, "", "")), sinkURI("https://dls.example/"),
			expectation{status: func(b *eventingv1.Broker) {
				d := secure("")
				b.Status.DeadLetterSinkCACerts, b.Status.DeadLetterSinkAudience = d.CACerts, d.Audience
			}}),
		unready("a dead letter sink that has no address any more", newBroker("nosink", withSink(service("none")), func(b *eventingv1.Broker) {
			d := secure("https://dls.example/")
			b.Status.DeadLetterSinkURI, b.Status.DeadLetterSinkCACerts, b.Status.DeadLetterSinkAudience = d.URI, d.CACerts, d.Audience
		}), requeued, condition(ConditionDeadLetterSink, is(corev1.ConditionFalse, ReasonUnresolved, `failed to get object shop/none: services "none" not found`))),
		ready("dead letter sink by reference", newBroker("sinkref", withSink(service("dls"))),
			condition(ConditionDeadLetterSink, is(corev1.ConditionTrue, "", "")), sinkURI("http://dls.shop.svc.cluster.local"),
			object(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "dls"}})),

		ready("encryption is permissive", newBroker("permissive"), condition(ConditionAddressable, is(corev1.ConditionTrue, address.ReasonHTTPOnly,
			"the feature transport-encryption is permissive and there is no https address yet: events are taken by http only")),
			data(flagsKey, feature.Flags{feature.TransportEncryption: feature.Permissive})),

		unready("no such ConfigMap", newBroker("noconfig", withConfig("ConfigMap", "none")), neverRouted,
			configured(is(corev1.ConditionFalse, brokerconfig.ReasonMissing, "ConfigMap config/none does not exist"))),
		unready("a broken ConfigMap names its key", newBroker("broken", withConfig("ConfigMap", "broken")), neverRouted,
			configured(is(corev1.ConditionFalse, brokerconfig.ReasonInvalid, `ConfigMap config/broken: key "replicas": must be 1, 3 or 5`)),
			configMap("broken", map[string]string{"replicas": "2"})),
		unready("spec.config of another kind", newBroker("kind", withConfig("Secret", "s")), neverRouted,
			configured(is(corev1.ConditionFalse, brokerconfig.ReasonUnsupported, "spec.config must be a ConfigMap of v1, not Secret of v1"))),
		unready("an EventPolicy selects the Broker", newBroker("policy"), condition(ConditionEventPolicies,
			is(corev1.ConditionFalse, address.ReasonPolicyUnenforced, "EventPolicies select this Broker (p) and are not enforced yet: every event is refused")),
			object(&eventingv1alpha1.EventPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "p"}, Spec: eventingv1alpha1.EventPolicySpec{
				To: []eventingv1alpha1.EventPolicySpecTo{{Ref: &eventingv1alpha1.EventPolicyToReference{
					APIVersion: "eventing.knative.dev/v1", Kind: "Broker", Name: "policy"}}}}})),
		unready("OIDC is on", newBroker("oidc"), condition(ConditionEventPolicies, is(corev1.ConditionFalse, address.ReasonOIDC,
			"the feature authentication-oidc is on and senders cannot be authenticated yet: every event is refused")),
			data(flagsKey, feature.Flags{feature.OIDCAuthentication: feature.Enabled})),
		unready("encryption is strict", newBroker("strict"), condition(ConditionEventPolicies, is(corev1.ConditionFalse, address.ReasonStrictTLS,
			route.NoHTTPS)),
			condition(ConditionAddressable, is(corev1.ConditionFalse, address.ReasonStrictTLS, "there is no https address yet")),
			expectation{status: func(b *eventingv1.Broker) { b.Status.AddressStatus = duckv1.AddressStatus{} }},
			data(flagsKey, feature.Flags{feature.TransportEncryption: feature.Strict})),
		unready("encryption is strict: by http nobody is asked who he is", newBroker("strictoidc"), condition(ConditionEventPolicies,
			is(corev1.ConditionFalse, address.ReasonStrictTLS, route.NoHTTPS)),
			condition(ConditionAddressable, is(corev1.ConditionFalse, address.ReasonStrictTLS, "there is no https address yet")),
			expectation{status: func(b *eventingv1.Broker) { b.Status.AddressStatus = duckv1.AddressStatus{} }},
			data(flagsKey, feature.Flags{feature.TransportEncryption: feature.Strict, feature.OIDCAuthentication: feature.Enabled})),
		unready("a wrong annotation", newBroker("annotation", func(b *eventingv1.Broker) { b.Annotations[compile.ReplicasAnnotation] = "2" }),
			neverRouted, condition(ConditionStream, is(corev1.ConditionFalse, ReasonInvalid,
				"invalid value: 2: metadata.annotations[jetstream.eventing.knative.dev/replicas]\nmust be 1, 3 or 5"))),
		unready("no room for dead letters", newBroker("noroom"), requeued, expectation{status: func(b *eventingv1.Broker) { b.Status.Annotations = nil }},
			condition(ConditionStream, is(corev1.ConditionFalse, address.ReasonNoDeadLetters, "no room"))),
		unready("a limit that would drop dead letters", newBroker("holdsmore"), requeued, expectation{status: func(b *eventingv1.Broker) { b.Status.Annotations = nil }},
			condition(ConditionStream, is(corev1.ConditionFalse, address.ReasonLettersKept, "too small: it holds dead letters that this limit would drop"))),
		unready("a wrong limit of dead letters", newBroker("limit", func(b *eventingv1.Broker) { b.Annotations[compile.DeadLetterMaxBytesAnnotation] = "lots" }),
			neverRouted, condition(ConditionStream, is(corev1.ConditionFalse, ReasonInvalid,
				"invalid value: lots: metadata.annotations[jetstream.eventing.knative.dev/dead-letter-max-bytes]\nmust be a positive number of bytes such as 512Mi, at most 1152921504606846976"))),
		unready("NATS is away", newBroker("away"), neverRouted, data(viewKey, readiness.View{Known: true, Outage: &readiness.Outage{Since: since, Why: "refused"}}),
			condition(ConditionNATS, is(corev1.ConditionFalse, address.ReasonNATSAway, "NATS cannot be used since 2026-11-22T10:00:00Z: refused"))),
		unready("what was true before NATS went stays", newBroker("stays", withStatus(nil)),
			data(viewKey, readiness.View{Known: true, Outage: &readiness.Outage{Since: since, Why: "refused"}}),
			condition(ConditionNATS, is(corev1.ConditionFalse, address.ReasonNATSAway, "NATS cannot be used since 2026-11-22T10:00:00Z: refused"))),
		{
			Name: "NATS goes while it is asked, and what was true stays", Key: namespace + "/goes", WantErr: true,
			Objects: []runtime.Object{newBroker("goes", withStatus(nil))}, OtherTestData: map[string]any{endKey: timedRoutes{away: errors.New("timeout")}},
		},
		unready("but nothing is known of what was changed meanwhile", newBroker("goeschanged", func(b *eventingv1.Broker) {
			withStatus(nil)(b)
			b.Generation++
		}), requeued, data(endKey, timedRoutes{away: errors.New("timeout")}), condition(ConditionStream, is(corev1.ConditionFalse, address.ReasonNotStored, "timeout"))),
		unready("an ingress cannot apply the route", newBroker("cannot"), data(viewKey, readiness.View{Known: true, Reports: []route.Report{
			{Role: route.RoleIngress, ID: "i", Revision: math.MaxUint64, Failures: map[string]string{"address.broker.shop.cannot": "odd"}}}}),
			condition(ConditionIngress, is(corev1.ConditionFalse, readiness.ReasonFailed, "ingress i: odd"))),
		unknown("no ingress", newBroker("noingress"), data(viewKey, readiness.View{Known: true}),
			condition(ConditionIngress, is(corev1.ConditionUnknown, readiness.ReasonNoProcess, "no ingress is known to be live: none has a report that is younger than 30s"))),
		unknown("an ingress is behind", newBroker("behind"), data(viewKey, readiness.View{Known: true, Reports: []route.Report{{Role: route.RoleIngress, ID: "i"}}}),
			condition(ConditionIngress, is(corev1.ConditionUnknown, readiness.ReasonNotApplied, "ingress i has not applied it yet"))),
	}
	rows = append(rows, lossRows()...)
	withLogOf(t, owner, "replaced", "replacedbad", "replacedmade", "replacedstale", "replacedunread")
	rows = append(rows, replacedRows(since)...)
	rows.Test(t, reconcilertest.Factory(func(ctx context.Context, row *rtesting.TableRow, w reconcilertest.World) controller.Reconciler {
		return build(ctx, row, builtFrom{w, owner, made})
	}))
	checkRoutes(t, client)
}

type builtFrom struct {
	reconcilertest.World
	owner *owner.Owner
	// made is when the routes bucket was.
	made time.Time
}

func build(ctx context.Context, row *rtesting.TableRow, w builtFrom) controller.Reconciler {
	view, ok := row.OtherTestData[viewKey].(readiness.View)
	if !ok {
		view = live()
	}
	view = reconcilertest.InBucket(view, w.made)
	flags, _ := row.OtherTestData[flagsKey].(feature.Flags)
	row.Ctx = feature.ToContext(row.Ctx, flags)
	uid, ok := row.OtherTestData[liveKey].(types.UID)
	if !ok {
		uid = "uid"
	}
	owner, _ := row.OtherTestData[endKey].(timedRoutes)
	owner.Owner = w.owner
	board := readiness.Fixed(view)
	r := &Reconciler{
		steps: address.Steps{Routes: owner, Board: board, Policies: w.Policies, Live: func(context.Context, types.NamespacedName) (types.UID, error) {
			if uid == "" {
				return "", errors.New("no answer")
			}
			return uid, nil
		}},
		board: board, ingressHost: host, deleted: func() {},
		configs:  brokerconfig.Reader{ConfigMaps: w.ConfigMaps, Tracker: w.Tracker},
		resolver: resolver.NewURIResolverFromTracker(ctx, w.Tracker),
	}
	return brokerreconciler.NewReconciler(ctx, logging.FromContext(ctx), w.Client, w.Brokers, w.Recorder, r, compile.BrokerClass)
}

// checkRoutes looks at what the rows left in NATS.
func checkRoutes(t *testing.T, client *jetstream.Client) {
	t.Helper()
	records, err := routes.Records(t.Context(), client, "")
	if err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{}
	for _, r := range records {
		refused[r.Address.Key.Name] = r.Address.Refuse != ""
	}
	want := map[string]bool{"well": false, "same": false, "mt": false, "permissive": false, "sink": false, "sinkref": false, "securesink": false, "nosink": false, "policy": true, "oidc": true, "strict": true, "strictoidc": true,
		"cannot": false, "noingress": false, "behind": false, "noroom": false, "remade": false, "told": false, "healed": false, "holdsmore": false,
		"replaced": false, "replacedmade": false, "replacedbad": false, "replacedstale": false, "replacedunread": false}
	for name, refuses := range want {
		if got, ok := refused[name]; !ok || got != refuses {
			t.Errorf("Broker %s: route %t, refuses %t; want it to refuse: %t", name, ok, got, refuses)
		}
	}
	if len(refused) != len(want) {
		t.Errorf("routes of %v", refused)
	}
}
