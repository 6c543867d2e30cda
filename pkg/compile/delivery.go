package compile

import (
	"time"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
)

// Policy parses a delivery spec; the dead letter sink is not part of a policy. Each field is optional and independent of
// the others. nil is a spec that sets nothing. Paths in the error are relative to the spec.
//
// Durations are parsed as upstream parses them (knative.dev/eventing pkg/kncloudevents/retries.go): ISO 8601, a tenth of a
// second at the finest. Negative ones are refused, which upstream does not do everywhere.
func Policy(spec *eventingduckv1.DeliverySpec) (delivery.Policy, error) {
	policy, errs := compilePolicy(spec)
	if errs != nil {
		return delivery.Policy{}, errs
	}
	return policy, nil
}

func compilePolicy(spec *eventingduckv1.DeliverySpec) (delivery.Policy, *apis.FieldError) {
	var policy delivery.Policy
	var errs *apis.FieldError
	if spec == nil {
		return policy, nil
	}
	if spec.Retry != nil {
		policy.Retry = int(*spec.Retry)
		if policy.Retry < 0 {
			errs = errs.Also(apis.ErrInvalidValue(policy.Retry, "retry", "must not be negative"))
		}
	}
	if spec.BackoffPolicy != nil {
		policy.Backoff = delivery.Backoff(*spec.BackoffPolicy)
		if policy.Backoff != delivery.LinearBackoff && policy.Backoff != delivery.ExponentialBackoff {
			errs = errs.Also(apis.ErrInvalidValue(policy.Backoff, "backoffPolicy", "must be linear or exponential"))
		}
	}
	if spec.Format != nil {
		policy.Format = delivery.Format(*spec.Format)
		if policy.Format != delivery.BinaryFormat && policy.Format != delivery.JSONFormat {
			errs = errs.Also(apis.ErrInvalidValue(policy.Format, "format", "must be json or binary"))
		}
	}
	return policy, errs.Also(compileDurations(spec, &policy))
}

func compileDurations(spec *eventingduckv1.DeliverySpec, policy *delivery.Policy) (errs *apis.FieldError) {
	if spec.BackoffDelay != nil {
		delay, err := durationField(*spec.BackoffDelay, "backoffDelay")
		policy.Delay, errs = delay, errs.Also(err)
	}
	if spec.Timeout != nil {
		timeout, err := durationField(*spec.Timeout, "timeout")
		if err == nil && timeout == 0 {
			err = apis.ErrInvalidValue(*spec.Timeout, "timeout", "must be longer than zero")
		}
		policy.Timeout, errs = timeout, errs.Also(err)
	}
	if spec.RetryAfterMax != nil {
		longest, err := durationField(*spec.RetryAfterMax, "retryAfterMax")
		policy.RetryAfterMax, errs = &longest, errs.Also(err)
	}
	return errs
}

func durationField(value, field string) (time.Duration, *apis.FieldError) {
	d, err := config.ParseISODuration(value)
	if err != nil {
		return 0, apis.ErrInvalidValue(value, field, err.Error())
	}
	return d, nil
}
