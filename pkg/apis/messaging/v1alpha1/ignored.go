package v1alpha1

import "reflect"

// Ignored is a field that is set and does nothing.
type Ignored struct {
	// Field is its path.
	Field string
	// Why says why, and what to use instead.
	Why string
}

// Ignored lists the fields of the spec that are set and do nothing.
func (s *NatsJetStreamChannelSpec) Ignored() []Ignored {
	var list []Ignored
	note := func(ignored bool, field, why string) {
		if ignored {
			list = append(list, Ignored{"spec." + field, why})
		}
	}
	note(s.DeploymentSpecTemplate != nil, "deploymentSpecTemplate", "all channels share one data plane")
	if s.Stream != nil && s.Stream.Config != nil {
		noteStream(s.Stream.Config, s.Stream.OverrideName != "", note)
	}
	if s.ConsumerConfigTemplate != nil {
		noteConsumer(s.ConsumerConfigTemplate, note)
	}
	return list
}

// noter takes down a field if it is ignored.
type noter func(ignored bool, field, why string)

func noteStream(c *StreamConfig, adopted bool, note noter) {
	if adopted {
		others := *c
		others.AdditionalSubjects = nil
		note(!reflect.DeepEqual(others, StreamConfig{}), "stream.config",
			"the stream that overrideName names keeps the settings that it has; only additionalSubjects is used, as the part of it that is read")
		return
	}
	const lossless = "an event is kept until every subscriber has it"
	note(c.Retention == InterestRetentionPolicy || c.Retention == WorkRetentionPolicy, "stream.config.retention", lossless)
	note(c.MaxMsgs > 0, "stream.config.maxMsgs", "the stream is bounded in bytes: use maxBytes")
	note(c.Discard == OldDiscardPolicy, "stream.config.discard", lossless+"; a full stream refuses new ones")
	note(c.MaxMsgSize > 0, "stream.config.maxMsgSize", "how large an event may be is a setting of NATS and of the ingress")
	note(c.NoAck, "stream.config.noAck", "an event is accepted only when NATS has acknowledged that it is stored")
	note(c.Mirror != nil, "stream.config.mirror", "a mirror takes no events")
	note(len(c.Sources) > 0, "stream.config.sources", "use additionalSubjects, or adopt the stream with overrideName")
}

func noteConsumer(c *ConsumerConfigTemplate, note noter) {
	field := func(name string) string { return "consumerConfigTemplate." + name }
	note(c.OptStartSeq > 0 && c.DeliverPolicy != ByStartSequenceDeliverPolicy, field("optStartSeq"), "it needs deliverPolicy ByStartSequence")
	note(c.OptStartTime != nil && c.DeliverPolicy != ByStartTimeDeliverPolicy, field("optStartTime"), "it needs deliverPolicy ByStartTime")
	note(c.AckWait != nil && c.AckWait.Duration != 0, field("ackWait"), "a request may take as long as delivery.timeout says")
	note(c.MaxDeliver > 0, field("maxDeliver"), "delivery.retry says how often an event is sent")
	note(c.FilterSubject != "", field("filterSubject"), "a subscriber of a channel gets every event")
	note(c.ReplayPolicy == OriginalReplayPolicy, field("replayPolicy"), "events of the past are delivered as fast as the subscriber takes them")
	note(c.RateLimitBPS > 0, field("rateLimitBPS"), "use maxAckPending, which bounds the requests at one time")
	note(c.SampleFrequency != "", field("sampleFrequency"), "the data plane has metrics of its own")
	note(c.ConsumerType == PushConsumerType, field("consumerType"), "subscribers pull, which changes nothing of what they get")
	note(c.FetchBatchSize > 0, field("fetchBatchSize"), "events are fetched as subscribers take them")
	note(c.FetchMaxWait > 0, field("fetchMaxWait"), "events are fetched as subscribers take them")
}
