package manifest

import (
	"context"
	"errors"

	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"
)

// validateTrigger is upstream's Validate, but for the namespace of a brokerRef and for the filters. Upstream refuses even the Trigger's
// own namespace, with a path that is not in the file: compile.BrokerName has that rule. Of a malformed CESQL expression upstream's
// parser prints a line of its own to standard error: compile.Trigger checks the filters, and says where they are wrong.
func validateTrigger(ctx context.Context, t *eventingv1.Trigger) *apis.FieldError {
	checked := t.DeepCopy()
	checked.Spec.Filters = nil
	if checked.Spec.BrokerRef != nil {
		checked.Spec.BrokerRef.Namespace = ""
	}
	return checked.Validate(ctx)
}

// fieldError returns the *apis.FieldError that an error of package compile holds, or nil.
func fieldError(err error) *apis.FieldError {
	var wrong *apis.FieldError
	errors.As(err, &wrong)
	return wrong
}
