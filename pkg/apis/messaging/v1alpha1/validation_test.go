package v1alpha1

import (
	"context"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

func channel(edit func(*NatsJetStreamChannel)) *NatsJetStreamChannel {
	c := &NatsJetStreamChannel{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders"}}
	c.SetDefaults(context.Background())
	if edit != nil {
		edit(c)
	}
	return c
}

func spec(edit func(*NatsJetStreamChannelSpec)) *NatsJetStreamChannel {
	return channel(func(c *NatsJetStreamChannel) { edit(&c.Spec) })
}

func config(c StreamConfig) *NatsJetStreamChannel {
	return spec(func(s *NatsJetStreamChannelSpec) { s.Stream = &Stream{Config: &c} })
}

func template(c ConsumerConfigTemplate) *NatsJetStreamChannel {
	return spec(func(s *NatsJetStreamChannelSpec) { s.ConsumerConfigTemplate = &c })
}

func subscribers(list ...eventingduckv1.SubscriberSpec) *NatsJetStreamChannel {
	return spec(func(s *NatsJetStreamChannelSpec) { s.Subscribers = list })
}

func at(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

// Each wrong value is refused with its path, and nothing else is.
func TestValidation(t *testing.T) {
	retry, soon := int32(-1), metav1.Now()
	to := apis.HTTP("subscriber")
	for path, c := range map[string]*NatsJetStreamChannel{
		"spec.subscribers[0].replyUri, spec.subscribers[0].subscriberUri": subscribers(eventingduckv1.SubscriberSpec{UID: "a"}),
		"spec.subscribers[0].uid": subscribers(eventingduckv1.SubscriberSpec{ReplyURI: to}),
		"spec.subscribers[1].uid": subscribers(
			eventingduckv1.SubscriberSpec{UID: "a", ReplyURI: to}, eventingduckv1.SubscriberSpec{UID: "a", SubscriberURI: to}),
		"spec.delivery.retry": spec(func(s *NatsJetStreamChannelSpec) { s.Delivery = &eventingduckv1.DeliverySpec{Retry: &retry} }),
		"spec.delivery.deadLetterSink.ref, spec.delivery.deadLetterSink.uri": spec(func(s *NatsJetStreamChannelSpec) {
			s.Delivery = &eventingduckv1.DeliverySpec{DeadLetterSink: &duckv1.Destination{}}
		}),
		"metadata.annotations[eventing.knative.dev/scope]": channel(func(c *NatsJetStreamChannel) {
			c.Annotations["eventing.knative.dev/scope"] = "galaxy"
		}),
		"spec.stream.overrideName":                  spec(func(s *NatsJetStreamChannelSpec) { s.Stream = &Stream{OverrideName: "a.b"} }),
		"spec.stream.config.additionalSubjects[1]":  config(StreamConfig{AdditionalSubjects: []string{"a.*.>", "a.b.c"}}),
		"spec.stream.config.additionalSubjects[0]":  config(StreamConfig{AdditionalSubjects: []string{"a.>.b"}}),
		"spec.stream.config.retention":              config(StreamConfig{Retention: "limits"}),
		"spec.stream.config.discard":                config(StreamConfig{Discard: "Older"}),
		"spec.stream.config.storage":                config(StreamConfig{Storage: "Disk"}),
		"spec.stream.config.maxConsumers":           config(StreamConfig{MaxConsumers: -2}),
		"spec.stream.config.maxMsgs":                config(StreamConfig{MaxMsgs: -2}),
		"spec.stream.config.maxBytes":               config(StreamConfig{MaxBytes: -2}),
		"spec.stream.config.maxMsgSize":             config(StreamConfig{MaxMsgSize: -2}),
		"spec.stream.config.replicas":               config(StreamConfig{Replicas: 6}),
		"spec.stream.config.maxAge":                 config(StreamConfig{MaxAge: at(-time.Second)}),
		"spec.stream.config.duplicateWindow":        config(StreamConfig{DuplicateWindow: at(-time.Second)}),
		"spec.consumerConfigTemplate.deliverPolicy": template(ConsumerConfigTemplate{DeliverPolicy: "Oldest"}),
		"spec.consumerConfigTemplate.optStartSeq":   template(ConsumerConfigTemplate{DeliverPolicy: ByStartSequenceDeliverPolicy}),
		"spec.consumerConfigTemplate.optStartTime":  template(ConsumerConfigTemplate{DeliverPolicy: ByStartTimeDeliverPolicy}),
		"spec.consumerConfigTemplate.replayPolicy":  template(ConsumerConfigTemplate{ReplayPolicy: "Slow"}),
		"spec.consumerConfigTemplate.consumerType":  template(ConsumerConfigTemplate{ConsumerType: "Drag"}),
		"spec.consumerConfigTemplate.maxAckPending": template(ConsumerConfigTemplate{MaxAckPending: -2}),
	} {
		t.Run(path, func(t *testing.T) {
			err := c.Validate(t.Context())
			if err == nil || !strings.HasSuffix(strings.SplitN(err.Error(), "\n", 2)[0], ": "+path) {
				t.Errorf("got %v", err)
			}
		})
	}
	for name, c := range map[string]*NatsJetStreamChannel{
		"nothing is set":    channel(nil),
		"scope":             channel(func(c *NatsJetStreamChannel) { c.Annotations["eventing.knative.dev/scope"] = "namespace" }),
		"a reply only":      subscribers(eventingduckv1.SubscriberSpec{UID: "a", ReplyURI: to}),
		"NATS's unlimited":  config(StreamConfig{MaxConsumers: -1, MaxMsgs: -1, MaxBytes: -1, MaxMsgSize: -1}),
		"a start by time":   template(ConsumerConfigTemplate{DeliverPolicy: ByStartTimeDeliverPolicy, OptStartTime: &soon}),
		"a start by number": template(ConsumerConfigTemplate{DeliverPolicy: ByStartSequenceDeliverPolicy, OptStartSeq: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.Validate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// What a channel holds does not keep it from going, nor its status from being written.
func TestWhatIsStoredDoesNotBlock(t *testing.T) {
	bad := config(StreamConfig{Storage: "Disk"})
	status := apis.WithinSubResourceUpdate(t.Context(), bad.DeepCopy(), "status")
	if err := bad.Validate(status); err != nil {
		t.Errorf("its status cannot be written: %v", err)
	}
	now := metav1.Now()
	bad.DeletionTimestamp = &now
	if err := bad.Validate(apis.WithinUpdate(t.Context(), bad.DeepCopy())); err != nil {
		t.Errorf("it cannot go: %v", err)
	}
}

// Only Knative's controller changes subscribers; what else a person edits is theirs.
func TestWhoChangesSubscribers(t *testing.T) {
	const knative = "system:serviceaccount:knative-eventing:eventing-controller"
	before, after := subscribers(), subscribers(eventingduckv1.SubscriberSpec{UID: "a", ReplyURI: apis.HTTP("sink")})
	for _, c := range []struct {
		user    string
		after   *NatsJetStreamChannel
		refused bool
	}{
		{knative, after, false},
		{"system:serviceaccount:shop:eventing-controller", after, true},
		{"admin", after, true},
		{"admin", spec(func(s *NatsJetStreamChannelSpec) { s.Delivery = &eventingduckv1.DeliverySpec{} }), false},
	} {
		ctx := apis.WithUserInfo(WithSubscribingUser(t.Context(), knative), &authenticationv1.UserInfo{Username: c.user})
		err := c.after.Validate(apis.WithinUpdate(ctx, before))
		if (err != nil) != c.refused || (err != nil && !strings.Contains(err.Error(), "spec.subscribers")) {
			t.Errorf("%s: %v", c.user, err)
		}
	}
	if err := after.Validate(apis.WithinUpdate(t.Context(), before)); err != nil {
		t.Errorf("refused though nobody asked for it: %v", err)
	}
}

func TestImmutableFieldsAreNamed(t *testing.T) {
	early, late := metav1.Unix(1, 0), metav1.Unix(2, 0)
	byTime := func(at *metav1.Time) *NatsJetStreamChannel {
		return template(ConsumerConfigTemplate{DeliverPolicy: ByStartTimeDeliverPolicy, OptStartTime: at})
	}
	bySequence := func(n uint64) *NatsJetStreamChannel {
		return template(ConsumerConfigTemplate{DeliverPolicy: ByStartSequenceDeliverPolicy, OptStartSeq: n})
	}
	for _, c := range []struct {
		path          string
		before, after *NatsJetStreamChannel
	}{
		{"spec.stream.overrideName", channel(nil), spec(func(s *NatsJetStreamChannelSpec) { s.Stream = &Stream{OverrideName: "X"} })},
		{"spec.stream.config.retention", channel(nil), config(StreamConfig{Retention: WorkRetentionPolicy})},
		{"spec.stream.config.storage", config(StreamConfig{Storage: MemoryStorage}), channel(nil)},
		{"spec.stream.config.maxConsumers", config(StreamConfig{MaxConsumers: 7}), config(StreamConfig{MaxConsumers: 8})},
		{"spec.consumerConfigTemplate.deliverPolicy", channel(nil), template(ConsumerConfigTemplate{DeliverPolicy: AllDeliverPolicy})},
		{"spec.consumerConfigTemplate.optStartSeq", bySequence(1), bySequence(2)},
		{"spec.consumerConfigTemplate.optStartTime", byTime(&early), byTime(&late)},
		{"", channel(nil), config(StreamConfig{Retention: LimitsRetentionPolicy, Storage: FileStorage, MaxConsumers: -1, MaxBytes: 1 << 20})},
		{"", channel(nil), template(ConsumerConfigTemplate{DeliverPolicy: NewDeliverPolicy, MaxAckPending: 7})},
		{"", byTime(&early), byTime(&early)},
	} {
		err := c.after.Validate(apis.WithinUpdate(t.Context(), c.before))
		switch {
		case c.path == "" && err != nil:
			t.Errorf("%v", err)
		case c.path != "" && (err == nil || !strings.Contains(err.Error(), "Immutable field changed: "+c.path+"\n")):
			t.Errorf("%s: %v", c.path, err)
		}
	}
}
