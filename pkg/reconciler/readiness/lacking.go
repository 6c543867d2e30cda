package readiness

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/apis"
)

// ConditionLacksHistory is on a Trigger whose annotation asks for events that the log had lost when
// the Trigger was made. It is for information.
const ConditionLacksHistory apis.ConditionType = "LacksHistory"

// MarkLacksHistory sets ConditionLacksHistory with the time since when there were events, or removes it
// when nothing is lacking.
func MarkLacksHistory(conditions apis.ConditionManager, until *time.Time) {
	if until == nil {
		_ = conditions.ClearCondition(ConditionLacksHistory) // fails for conditions that readiness depends on
		return
	}
	conditions.SetCondition(apis.Condition{
		Type: ConditionLacksHistory, Status: corev1.ConditionTrue, Severity: apis.ConditionSeverityInfo, Reason: "Removed",
		Message: "it began later than it was to: the log had nothing from before " + until.UTC().Format(time.RFC3339),
	})
}
