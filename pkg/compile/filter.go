package compile

import (
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
)

// filterSpec copies a Trigger's filters into the data plane's own type.
func filterSpec(spec eventingv1.TriggerSpec) filter.Spec {
	var attributes map[string]string
	if spec.Filter != nil && len(spec.Filter.Attributes) > 0 {
		attributes = spec.Filter.Attributes
	}
	return filter.Spec{Attributes: attributes, Filters: expressions(spec.Filters)}
}

func expressions(filters []eventingv1.SubscriptionsAPIFilter) []filter.Expression {
	if len(filters) == 0 {
		return nil
	}
	out := make([]filter.Expression, len(filters))
	for i, f := range filters {
		out[i] = expression(f)
	}
	return out
}

func expression(f eventingv1.SubscriptionsAPIFilter) filter.Expression {
	e := filter.Expression{
		All:    expressions(f.All),
		Any:    expressions(f.Any),
		Exact:  f.Exact,
		Prefix: f.Prefix,
		Suffix: f.Suffix,
		CESQL:  f.CESQL,
	}
	if f.Not != nil {
		not := expression(*f.Not)
		e.Not = &not
	}
	return e
}

// checkFilter checks a Trigger's filters. Upstream's Validate finds the same, but reports a second dialect without a path,
// and has a wrong path once there are several filters (knative.dev/eventing pkg/apis/eventing/v1/trigger_validation.go).
func checkFilter(spec eventingv1.TriggerSpec) *apis.FieldError {
	errs := checkExpressions(spec.Filters, "filters")
	if spec.Filter != nil {
		errs = errs.Also(eventingv1.ValidateAttributesNames(spec.Filter.Attributes).ViaField("filter", "attributes"))
	}
	if errs != nil {
		return errs
	}
	// The data plane's own word is the last: what it cannot compile would be a Trigger that never delivers.
	if _, err := filter.Compile(filterSpec(spec)); err != nil {
		return &apis.FieldError{Message: err.Error(), Paths: []string{"filters"}}
	}
	return nil
}

func checkExpressions(filters []eventingv1.SubscriptionsAPIFilter, field string) (errs *apis.FieldError) {
	for i := range filters {
		errs = errs.Also(checkExpression(&filters[i]).ViaFieldIndex(field, i))
	}
	return errs
}

func checkExpression(f *eventingv1.SubscriptionsAPIFilter) (errs *apis.FieldError) {
	if eventingv1.ValidateOneOf(f) != nil {
		errs = errs.Also(&apis.FieldError{Message: "more than one dialect in one filter: only one may be set", Paths: []string{apis.CurrentField}})
	}
	errs = errs.Also(eventingv1.ValidateAttributesNames(f.Exact).ViaField("exact"))
	errs = errs.Also(eventingv1.ValidateAttributesNames(f.Prefix).ViaField("prefix"))
	errs = errs.Also(eventingv1.ValidateAttributesNames(f.Suffix).ViaField("suffix"))
	errs = errs.Also(checkExpressions(f.All, "all"))
	errs = errs.Also(checkExpressions(f.Any, "any"))
	if f.Not != nil {
		errs = errs.Also(checkExpression(f.Not).ViaField("not"))
	}
	if f.CESQL == "" {
		return errs
	}
	// Upstream's parser says neither where an expression is malformed nor what was expected there.
	if err := filter.CheckCESQL(f.CESQL, requestreply.Function(nil)); err != nil {
		errs = errs.Also(&apis.FieldError{Message: "invalid CESQL: " + err.Error(), Paths: []string{"cesql"}})
	}
	return errs
}
