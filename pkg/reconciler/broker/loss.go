package broker

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"knative.dev/pkg/controller"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// LogMadeAnnotation in status.annotations is when the log was made that the Broker's events are known to be safe in. A log that
// was made at another time is not that one: somebody deleted it, or NATS lost it, with the events in it.
const LogMadeAnnotation = compile.AnnotationPrefix + "log-made"

// remadeShown is how long the condition tells of a log that was made again. It survives a weekend, and ends by itself: a Broker
// that works needs nobody's hand. Who wants it gone sooner removes LogMadeAnnotation (kubectl edit --subresource=status).
const remadeShown = 7 * 24 * time.Hour

// markStream sets ConditionStream of a Broker whose log is as it should be. It stays True when the log was made again, since
// events are safe from then on, and says that those before are lost. What it says comes from the status and from NATS alone,
// so every reconciliation by any controller says the same.
func markStream(ctx context.Context, w *work, made time.Time) {
	status, now := &w.broker.Status, made.UTC().Format(time.RFC3339Nano)
	known := status.Annotations[LogMadeAnnotation]
	shown := time.Until(made.Add(remadeShown))
	if known == "" || known == now || shown <= 0 {
		if status.Annotations == nil {
			status.Annotations = map[string]string{}
		}
		status.Annotations[LogMadeAnnotation] = now
		w.status.MarkTrue(ConditionStream)
		return
	}
	before := w.status.GetCondition(ConditionStream).GetMessage()
	w.status.MarkTrueWithReason(ConditionStream, ReasonRemade,
		"the log was gone and was made again at %s: events that were not delivered by then are lost", made.UTC().Format(time.RFC3339))
	if w.retry == 0 {
		w.retry = shown
	}
	if message := w.status.GetCondition(ConditionStream).GetMessage(); message != before {
		controller.GetEventRecorder(ctx).Event(w.broker, corev1.EventTypeWarning, ReasonRemade, message)
	}
}
