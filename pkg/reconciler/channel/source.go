package channel

import (
	"strings"

	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// source is the Channel as routes are made of it, with what its references resolved to.
func (w *work) source() compile.ChannelSource {
	c, status := w.channel, w.channel.Status
	delivery := c.Spec.Delivery.DeepCopy()
	if status.DeliveryStatus.IsSet() {
		delivery.DeadLetterSink = &duckv1.Destination{
			URI: status.DeadLetterSinkURI, CACerts: status.DeadLetterSinkCACerts, Audience: status.DeadLetterSinkAudience,
		}
	}
	return compile.ChannelSource{
		Namespace: c.Namespace, Name: c.Name, UID: c.UID, Annotations: c.Annotations, Paused: compile.PausedBy(c.Annotations), DeadLetterCopy: compile.CopiedBy(c.Annotations),
		Log: logOf(c.Spec.Stream), Hosts: hosts(c), Delivery: delivery,
		Start: startOf(c.Spec.ConsumerConfigTemplate), MaxInFlight: maxInFlight(c.Spec.ConsumerConfigTemplate),
	}
}

// logOf is what the spec says of the log, as far as it is honoured (NatsJetStreamChannelSpec.Ignored). In NATS's configuration 0 and
// -1 both mean that there is no limit; we have the defaults for that.
func logOf(s *v1alpha1.Stream) *route.Log {
	if s == nil {
		return nil
	}
	log := &route.Log{Stream: s.OverrideName}
	c := s.Config
	if c == nil {
		return log
	}
	log.Subjects = c.AdditionalSubjects
	if log.Stream != "" {
		return log
	}
	log.MaxBytes, log.MaxConsumers = max(c.MaxBytes, 0), max(c.MaxConsumers, 0)
	log.Replicas, log.Memory = c.Replicas, c.Storage == v1alpha1.MemoryStorage
	if c.MaxAge != nil {
		log.History = c.MaxAge.Duration
	}
	if c.DuplicateWindow != nil {
		log.DedupWindow = c.DuplicateWindow.Duration
	}
	if c.Placement != nil {
		log.Placement = route.Placement{Cluster: c.Placement.Cluster, Tags: strings.Join(c.Placement.Tags, ",")}
	}
	return log
}

// startOf is where new subscribers begin.
func startOf(c *v1alpha1.ConsumerConfigTemplate) route.Start {
	if c == nil {
		return route.Start{}
	}
	switch c.DeliverPolicy {
	case v1alpha1.AllDeliverPolicy:
		return route.Start{Policy: route.StartAll}
	case v1alpha1.LastDeliverPolicy:
		return route.Start{Policy: route.StartLast}
	case v1alpha1.ByStartSequenceDeliverPolicy:
		return route.Start{Policy: route.StartSequence, Sequence: c.OptStartSeq}
	case v1alpha1.ByStartTimeDeliverPolicy:
		if c.OptStartTime != nil {
			at := c.OptStartTime.UTC()
			return route.Start{Policy: route.StartTime, Time: &at}
		}
	}
	return route.Start{}
}

// mostInFlight is as many as an annotation may ask for on a Trigger.
const mostInFlight = 10000

func maxInFlight(c *v1alpha1.ConsumerConfigTemplate) int {
	if c == nil {
		return 0
	}
	return min(max(c.MaxAckPending, 0), mostInFlight)
}
