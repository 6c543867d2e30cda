package readiness

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Reasons of answers; they are reasons of conditions.
const (
	ReasonNotKnown   = "ReportsNotRead"
	ReasonNoProcess  = "NoLiveProcess"
	ReasonNotApplied = "NotAppliedYet"
	ReasonFailed     = "CannotApply"
	ReasonLost       = "ReportsLost"
)

// Question asks whether all live processes of a role have applied the record at a place.
type Question struct {
	Role route.Role
	route.Place
}

// Answer is a condition's status: True when at least one process is live and all live ones serve the record, False when one
// of them says that it cannot, and Unknown as long as nobody can tell.
type Answer struct {
	Status          corev1.ConditionStatus
	Reason, Message string
}

// isNews reports whether it says more than the answer before. Whom of several processes one waits for changes often, and is none.
func (a Answer) isNews(before Answer) bool {
	if a.Status == corev1.ConditionUnknown && before.Status == corev1.ConditionUnknown {
		return a.Reason != before.Reason
	}
	return a != before
}

// answer is a pure function of the view.
func (v View) answer(q Question) Answer {
	if !v.Known {
		return Answer{corev1.ConditionUnknown, ReasonNotKnown, "what the data plane reports has not been read yet"}
	}
	ready, why := route.Ready(route.Reports{Live: v.Reports}, q.Role, q.Place)
	if ready {
		return Answer{Status: corev1.ConditionTrue}
	}
	live := false
	for _, r := range v.Reports {
		if r.Role != q.Role {
			continue
		}
		live = true
		if failure, failed := r.Failures[q.Key]; failed && failure != route.NotRead && r.Past(q.Place) { // else it is about what was there before
			return Answer{corev1.ConditionFalse, ReasonFailed, fmt.Sprintf("%s %s: %s", q.Role, r.ID, failure)}
		}
	}
	if !v.Lost.IsZero() {
		return Answer{corev1.ConditionUnknown, ReasonLost, route.Reports{Lost: v.Lost}.WhyUnknown()}
	}
	if !live {
		return Answer{corev1.ConditionUnknown, ReasonNoProcess, fmt.Sprintf("no %s is known to be live: none has a report that is younger than %s", q.Role, route.ReportTTL)}
	}
	return Answer{corev1.ConditionUnknown, ReasonNotApplied, why}
}

// Mark sets a condition to the answer.
func Mark(conditions apis.ConditionManager, condition apis.ConditionType, a Answer) {
	switch a.Status {
	case corev1.ConditionTrue:
		conditions.MarkTrue(condition)
	case corev1.ConditionFalse:
		conditions.MarkFalse(condition, a.Reason, "%s", a.Message)
	default:
		conditions.MarkUnknown(condition, a.Reason, "%s", a.Message)
	}
}
