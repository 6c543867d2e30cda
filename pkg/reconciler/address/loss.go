package address

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/controller"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// LogMadeAnnotation in status.annotations is when the log was made that the events are known to be safe in. A log that
// was made at another time is not that one: somebody deleted it, or NATS lost it, with the events in it.
const LogMadeAnnotation = compile.AnnotationPrefix + "log-made"

// remadeShown is how long the condition tells of a log that was made again. It survives a weekend, and ends by itself: a resource
// that works needs nobody's hand. Who wants it gone sooner removes LogMadeAnnotation (kubectl edit --subresource=status).
const remadeShown = 7 * 24 * time.Hour

// markStream sets ConditionStream of a resource whose log is as it should be. It stays True when the log was made again, since
// events are safe from then on, and says that those before are lost. What it says comes from the status and from NATS alone,
// so every reconciliation by any controller says the same. It returns when to say something else, or 0.
func markStream(ctx context.Context, r Resource, made time.Time) time.Duration {
	status, now := r.GetStatus(), made.UTC().Format(time.RFC3339Nano)
	known := status.Annotations[LogMadeAnnotation]
	shown := time.Until(made.Add(remadeShown))
	if known == "" || known == now || shown <= 0 {
		if status.Annotations == nil {
			status.Annotations = map[string]string{}
		}
		status.Annotations[LogMadeAnnotation] = now
		r.Conditions.MarkTrue(ConditionStream)
		return 0
	}
	before := r.Conditions.GetCondition(ConditionStream).GetMessage()
	r.Conditions.MarkTrueWithReason(ConditionStream, ReasonRemade,
		"the log was gone and was made again at %s: events that were not delivered by then are lost", made.UTC().Format(time.RFC3339))
	if message := r.Conditions.GetCondition(ConditionStream).GetMessage(); message != before {
		controller.GetEventRecorder(ctx).Event(r.Object, corev1.EventTypeWarning, ReasonRemade, message)
	}
	return shown
}
