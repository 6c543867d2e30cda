package address

import (
	"testing"
	"time"

	"k8s.io/client-go/tools/record"
	"knative.dev/pkg/controller"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
)

func TestALossIsShownForSomeTime(t *testing.T) {
	for age, want := range map[time.Duration]string{remadeShown - time.Hour: ReasonRemade, remadeShown + time.Hour: ""} {
		made := time.Now().Add(-age)
		c := &v1alpha1.NatsJetStreamChannel{}
		c.Status.Annotations = map[string]string{LogMadeAnnotation: made.Add(-time.Hour).Format(time.RFC3339Nano)}
		ctx := controller.WithEventRecorder(t.Context(), record.NewFakeRecorder(1))
		again := markStream(ctx, Of(c), made)
		got := c.Status.GetCondition(ConditionStream)
		if got.Reason != want || !got.IsTrue() || (again > 0) != (want != "") {
			t.Errorf("made %s ago: %+v, to be looked at again in %s; want the reason %q", age, got, again, want)
		}
	}
}

func TestSooner(t *testing.T) {
	for _, c := range [][3]time.Duration{{0, 0, 0}, {0, 2, 2}, {2, 0, 2}, {1, 2, 1}, {2, 1, 1}} {
		if got := Sooner(c[0], c[1]); got != c[2] {
			t.Errorf("of %d and %d: %d", c[0], c[1], got)
		}
	}
}
