package v1alpha1

import (
	"context"
	"fmt"
	"strings"

	"knative.dev/eventing/pkg/apis/eventing"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming/foreign"
)

// Validate returns what is wrong with the channel, each with its path. A channel that is deleted, or whose status is written, is
// let through: what it holds was stored before, maybe by somebody else, and refusing it would only keep it.
func (c *NatsJetStreamChannel) Validate(ctx context.Context) *apis.FieldError {
	if c.DeletionTimestamp != nil || apis.IsInStatusUpdate(ctx) {
		return nil
	}
	errs := c.Spec.Validate(ctx).ViaField("spec")
	errs = errs.Also(checkScope(c.Annotations))
	if apis.IsInCreate(ctx) {
		errs = errs.Also(c.Spec.warnings())
	}
	if original, ok := apis.GetBaseline(ctx).(*NatsJetStreamChannel); ok && apis.IsInUpdate(ctx) {
		errs = errs.Also(c.Spec.checkImmutable(&original.Spec).ViaField("spec"))
		errs = errs.Also(c.Spec.checkWhoSubscribes(ctx, &original.Spec).ViaField("spec"))
	}
	return errs
}

// warnings are what a person reads who makes a channel with fields that do nothing.
func (s *NatsJetStreamChannelSpec) warnings() (warnings *apis.FieldError) {
	for _, i := range s.Ignored() {
		warning := &apis.FieldError{Message: "ignored", Paths: []string{i.Field}, Details: i.Why}
		warnings = warnings.Also(warning.At(apis.WarningLevel))
	}
	return warnings
}

// Validate returns what is wrong with the spec.
func (s *NatsJetStreamChannelSpec) Validate(ctx context.Context) *apis.FieldError {
	errs := checkSubscribers(s.Subscribers)
	errs = errs.Also(s.Delivery.Validate(ctx).ViaField("delivery"))
	errs = errs.Also(s.Stream.validate().ViaField("stream"))
	return errs.Also(s.ConsumerConfigTemplate.validate().ViaField("consumerConfigTemplate"))
}

// checkScope accepts Knative's annotation for channels that may have a data plane per namespace; ours is one for all.
func checkScope(annotations map[string]string) *apis.FieldError {
	scope, ok := annotations[eventing.ScopeAnnotationKey]
	if !ok || scope == eventing.ScopeCluster || scope == eventing.ScopeNamespace {
		return nil
	}
	return apis.ErrInvalidValue(scope, "metadata.annotations["+eventing.ScopeAnnotationKey+"]", "must be cluster or namespace")
}

func (s *Stream) validate() *apis.FieldError {
	if s == nil {
		return nil
	}
	var errs *apis.FieldError
	if s.OverrideName != "" && !foreign.LegalStream(s.OverrideName) {
		errs = apis.ErrInvalidValue(s.OverrideName, "overrideName", "is not a stream's name")
	}
	return errs.Also(s.Config.validate().ViaField("config"))
}

func (c *StreamConfig) validate() (errs *apis.FieldError) {
	if c == nil {
		return nil
	}
	for i, subject := range c.AdditionalSubjects {
		// Each together with those before it, which it must not overlap with.
		if err := foreign.CheckSubjects(c.AdditionalSubjects[:i+1]); err != nil {
			errs = apis.ErrInvalidValue(subject, apis.CurrentField, err.Error()).ViaFieldIndex("additionalSubjects", i)
			break
		}
	}
	errs = errs.Also(oneOf(c.Retention, "retention", LimitsRetentionPolicy, InterestRetentionPolicy, WorkRetentionPolicy))
	errs = errs.Also(oneOf(c.Discard, "discard", NewDiscardPolicy, OldDiscardPolicy))
	errs = errs.Also(oneOf(c.Storage, "storage", FileStorage, MemoryStorage))
	errs = errs.Also(atLeast(-1, c.MaxConsumers, "maxConsumers"))
	errs = errs.Also(atLeast(-1, c.MaxMsgs, "maxMsgs"))
	errs = errs.Also(atLeast(-1, c.MaxBytes, "maxBytes"))
	errs = errs.Also(atLeast(-1, c.MaxMsgSize, "maxMsgSize"))
	if c.Replicas < 0 || c.Replicas > maxReplicas {
		errs = errs.Also(apis.ErrOutOfBoundsValue(c.Replicas, 0, maxReplicas, "replicas"))
	}
	if c.MaxAge != nil {
		errs = errs.Also(atLeast(0, c.MaxAge.Duration, "maxAge"))
	}
	if c.DuplicateWindow != nil {
		errs = errs.Also(atLeast(0, c.DuplicateWindow.Duration, "duplicateWindow"))
	}
	return errs
}

// maxReplicas is NATS's.
const maxReplicas = 5

func (c *ConsumerConfigTemplate) validate() *apis.FieldError {
	if c == nil {
		return nil
	}
	errs := oneOf(c.DeliverPolicy, "deliverPolicy",
		NewDeliverPolicy, AllDeliverPolicy, LastDeliverPolicy, ByStartSequenceDeliverPolicy, ByStartTimeDeliverPolicy)
	if c.DeliverPolicy == ByStartSequenceDeliverPolicy && c.OptStartSeq == 0 {
		errs = errs.Also(apis.ErrMissingField("optStartSeq"))
	}
	if c.DeliverPolicy == ByStartTimeDeliverPolicy && c.OptStartTime.IsZero() {
		errs = errs.Also(apis.ErrMissingField("optStartTime"))
	}
	errs = errs.Also(oneOf(c.ReplayPolicy, "replayPolicy", InstantReplayPolicy, OriginalReplayPolicy))
	errs = errs.Also(oneOf(c.ConsumerType, "consumerType", PullConsumerType, PushConsumerType))
	return errs.Also(atLeast(-1, c.MaxAckPending, "maxAckPending"))
}

// oneOf lets "" through: the field is not set.
func oneOf[T ~string](value T, field string, allowed ...T) *apis.FieldError {
	names := make([]string, len(allowed))
	for i, a := range allowed {
		if value == "" || value == a {
			return nil
		}
		names[i] = string(a)
	}
	return apis.ErrInvalidValue(value, field, "must be one of "+strings.Join(names, ", "))
}

func atLeast[T ~int | ~int32 | ~int64](least, value T, field string) *apis.FieldError {
	if value >= least {
		return nil
	}
	return apis.ErrInvalidValue(value, field, fmt.Sprintf("must be at least %v", least))
}
