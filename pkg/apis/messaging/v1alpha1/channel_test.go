package v1alpha1

import (
	"reflect"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/apis/duck"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"sigs.k8s.io/yaml"
)

func TestChannelIsWhatKnativeExpects(t *testing.T) {
	for name, as := range map[string]duck.Implementable{
		"Conditions": &duckv1.Conditions{}, "Addressable": &duckv1.Addressable{}, "Channelable": &eventingduckv1.Channelable{},
	} {
		if err := duck.VerifyType(&NatsJetStreamChannel{}, as); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := &NatsJetStreamChannel{}
	if gvk := c.GetGroupVersionKind().String(); gvk != "messaging.knative.dev/v1alpha1, Kind=NatsJetStreamChannel" {
		t.Error(gvk)
	}
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil || !scheme.Recognizes(c.GetGroupVersionKind()) {
		t.Errorf("not registered: %v", err)
	}
	if kind := c.GetConditionSet().GetTopLevelConditionType(); kind != apis.ConditionReady {
		t.Error(kind)
	}
}

func TestDefaults(t *testing.T) {
	ref := &duckv1.KReference{Kind: "Service", APIVersion: "v1", Name: "sink"}
	c := &NatsJetStreamChannel{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}}
	c.Spec.Delivery = &eventingduckv1.DeliverySpec{DeadLetterSink: &duckv1.Destination{Ref: ref}}
	c.SetDefaults(t.Context())
	if c.Annotations["messaging.knative.dev/subscribable"] != "v1" || ref.Namespace != "shop" {
		t.Errorf("%v, %v", c.Annotations, ref)
	}
	before := c.DeepCopy()
	if c.SetDefaults(t.Context()); !reflect.DeepEqual(c, before) {
		t.Error("defaulting twice makes a difference")
	}
	c.Annotations["messaging.knative.dev/subscribable"] = "v1beta1"
	if c.SetDefaults(t.Context()); c.Annotations["messaging.knative.dev/subscribable"] != "v1beta1" {
		t.Error("what is set is overwritten")
	}
}

// existing is what a user of eventing-natss may have, with every field.
const existing = `
apiVersion: messaging.knative.dev/v1alpha1
kind: NatsJetStreamChannel
metadata: {name: orders, namespace: shop, annotations: {eventing.knative.dev/scope: cluster}}
spec:
  stream:
    config:
      additionalSubjects: [orders.>]
      retention: Interest
      maxConsumers: 10
      maxMsgs: 1000
      maxBytes: 1048576
      discard: Old
      maxAge: 1h
      maxMsgSize: 1024
      storage: Memory
      replicas: 3
      noAck: true
      duplicateWindow: 2m
      placement: {cluster: east, tags: [ssd]}
      mirror: {name: M, optStartSeq: 1, optStartTime: "2026-01-01T00:00:00Z", filterSubject: m}
      sources: [{name: S}]
  consumerConfigTemplate:
    deliverPolicy: All
    optStartSeq: 1
    optStartTime: "2026-01-01T00:00:00Z"
    ackWait: 30s
    maxDeliver: 3
    filterSubject: orders.new
    replayPolicy: Original
    rateLimitBPS: 1000
    sampleFrequency: 30%
    maxAckPending: 10
    consumerType: Push
    fetchBatchSize: 5
    fetchMaxWait: 100
  deploymentSpecTemplate:
    affinity: {}
    resources: {requests: {cpu: 1}}
`

func TestExistingManifestsAreTaken(t *testing.T) {
	c := &NatsJetStreamChannel{}
	if err := yaml.UnmarshalStrict([]byte(existing), c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if s := c.Spec.Stream.Config; s.MaxAge.Duration != time.Hour || s.Placement.Tags[0] != "ssd" || s.Mirror.OptStartTime.IsZero() {
		t.Errorf("%+v", s)
	}
	var fields []string
	for _, i := range c.Spec.Ignored() {
		if i.Why == "" {
			t.Errorf("%s has no reason", i.Field)
		}
		fields = append(fields, i.Field)
	}
	want := []string{
		"spec.deploymentSpecTemplate",
		"spec.stream.config.retention", "spec.stream.config.maxMsgs", "spec.stream.config.discard", "spec.stream.config.maxMsgSize",
		"spec.stream.config.noAck", "spec.stream.config.mirror", "spec.stream.config.sources",
		"spec.consumerConfigTemplate.optStartSeq", "spec.consumerConfigTemplate.optStartTime", "spec.consumerConfigTemplate.ackWait",
		"spec.consumerConfigTemplate.maxDeliver", "spec.consumerConfigTemplate.filterSubject", "spec.consumerConfigTemplate.replayPolicy",
		"spec.consumerConfigTemplate.rateLimitBPS", "spec.consumerConfigTemplate.sampleFrequency", "spec.consumerConfigTemplate.consumerType",
		"spec.consumerConfigTemplate.fetchBatchSize", "spec.consumerConfigTemplate.fetchMaxWait",
	}
	if !slices.Equal(fields, want) {
		t.Errorf("ignored: %v", fields)
	}
	c.Spec.Stream.OverrideName = "ORDERS"
	if ignored := c.Spec.Ignored(); ignored[1].Field != "spec.stream.config" {
		t.Errorf("%+v", ignored)
	}
	c.Spec = NatsJetStreamChannelSpec{Stream: &Stream{OverrideName: "ORDERS", Config: &StreamConfig{AdditionalSubjects: []string{"orders.new"}}}}
	if ignored := c.Spec.Ignored(); len(ignored) > 0 {
		t.Errorf("of a stream that is adopted, the subjects are not used: %+v", ignored)
	}
}

func TestWhatIsHonouredIsNotNamed(t *testing.T) {
	c := &NatsJetStreamChannel{}
	if err := yaml.UnmarshalStrict([]byte(`
spec:
  stream:
    config: {additionalSubjects: [a], retention: Limits, maxConsumers: 1, maxMsgs: -1, maxBytes: 1, discard: New, maxAge: 1h,
      storage: File, replicas: 1, duplicateWindow: 1s, placement: {cluster: a}}
  consumerConfigTemplate: {deliverPolicy: ByStartSequence, optStartSeq: 7, replayPolicy: Instant, maxAckPending: 1, consumerType: Pull}
`), c); err != nil {
		t.Fatal(err)
	}
	if ignored := c.Spec.Ignored(); len(ignored) > 0 {
		t.Errorf("%+v", ignored)
	}
}
