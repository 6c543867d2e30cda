package v1alpha1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"
)

// checkImmutable names the fields that NATS cannot change: what they say was decided when the stream, or a subscriber's
// consumer, was made. A default that is written out is no change.
func (s *NatsJetStreamChannelSpec) checkImmutable(original *NatsJetStreamChannelSpec) (errs *apis.FieldError) {
	check := func(same bool, field string) {
		if !same {
			errs = errs.Also(&apis.FieldError{
				Message: "Immutable field changed",
				Paths:   []string{field},
				Details: "NATS cannot change it: delete the channel and make it again",
			})
		}
	}
	now, before := fixedOf(s.Stream), fixedOf(original.Stream)
	check(now.name == before.name, "stream.overrideName")
	check(now.retention == before.retention, "stream.config.retention")
	check(now.storage == before.storage, "stream.config.storage")
	check(now.maxConsumers == before.maxConsumers, "stream.config.maxConsumers")

	start, started := startOf(s.ConsumerConfigTemplate), startOf(original.ConsumerConfigTemplate)
	check(start.policy == started.policy, "consumerConfigTemplate.deliverPolicy")
	check(start.sequence == started.sequence, "consumerConfigTemplate.optStartSeq")
	check(start.time.Equal(started.time), "consumerConfigTemplate.optStartTime")
	return errs
}

// fixed are the settings of a stream that stay as they were when it was made.
type fixed struct {
	name         string
	retention    RetentionPolicy
	storage      Storage
	maxConsumers int
}

func fixedOf(s *Stream) fixed {
	if s == nil {
		s = &Stream{}
	}
	c := s.Config
	if c == nil {
		c = &StreamConfig{}
	}
	return fixed{
		name:         s.OverrideName,
		retention:    cmp.Or(c.Retention, LimitsRetentionPolicy),
		storage:      cmp.Or(c.Storage, FileStorage),
		maxConsumers: max(c.MaxConsumers, 0), // 0 and -1 are the default
	}
}

// start is where a new subscriber starts.
type start struct {
	policy   DeliverPolicy
	sequence uint64
	time     *metav1.Time
}

func startOf(c *ConsumerConfigTemplate) start {
	if c == nil {
		c = &ConsumerConfigTemplate{}
	}
	return start{cmp.Or(c.DeliverPolicy, NewDeliverPolicy), c.OptStartSeq, c.OptStartTime}
}
