package readiness

import (
	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/apis"
)

// ConditionPaused is on a resource while somebody has paused it, since its lastTransitionTime. It is
// for information: who is paused is ready all the same.
const ConditionPaused apis.ConditionType = "Paused"

// MarkPaused sets ConditionPaused with the reason that somebody gave, or removes it when there is
// none.
func MarkPaused(conditions apis.ConditionManager, why string) {
	if why == "" {
		_ = conditions.ClearCondition(ConditionPaused) // fails for conditions that readiness depends on
		return
	}
	conditions.SetCondition(apis.Condition{
		Type: ConditionPaused, Status: corev1.ConditionTrue, Severity: apis.ConditionSeverityInfo, Reason: "Paused", Message: why,
	})
}
