package readiness

import (
	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/apis"
)

const (
	// ConditionPaused is on a resource while somebody has paused it, since its lastTransitionTime.
	ConditionPaused apis.ConditionType = "Paused"
	// ConditionFilterIgnored is on a Trigger while part of its filter, or all of it, counts for nothing.
	ConditionFilterIgnored apis.ConditionType = "FilterIgnored"
)

// MarkPaused sets ConditionPaused with the reason that somebody gave, or removes it when there is
// none.
func MarkPaused(conditions apis.ConditionManager, why string) {
	inform(conditions, ConditionPaused, why)
}

// MarkFilterIgnored sets ConditionFilterIgnored with what is to be said of the filter, or removes it when
// that is nothing.
func MarkFilterIgnored(conditions apis.ConditionManager, notes string) {
	inform(conditions, ConditionFilterIgnored, notes)
}

// inform sets a condition that is for information: who has it is ready all the same.
func inform(conditions apis.ConditionManager, condition apis.ConditionType, message string) {
	if message == "" {
		_ = conditions.ClearCondition(condition) // fails for conditions that readiness depends on
		return
	}
	conditions.SetCondition(apis.Condition{
		Type: condition, Status: corev1.ConditionTrue, Severity: apis.ConditionSeverityInfo, Reason: string(condition), Message: message,
	})
}
