package channel

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Whatever is honoured comes out; whatever is not leaves no trace.
func TestLogOf(t *testing.T) {
	hour := &metav1.Duration{Duration: time.Hour}
	full := &v1alpha1.StreamConfig{
		AdditionalSubjects: []string{"a.>"}, Retention: v1alpha1.WorkRetentionPolicy, MaxConsumers: 3, MaxMsgs: 4, MaxBytes: 5,
		Discard: v1alpha1.OldDiscardPolicy, MaxAge: hour, MaxMsgSize: 6, Storage: v1alpha1.MemoryStorage, Replicas: 3, NoAck: true,
		DuplicateWindow: &metav1.Duration{Duration: time.Minute}, Placement: &v1alpha1.StreamPlacement{Cluster: "east", Tags: []string{"a", "b"}},
		Mirror: &v1alpha1.StreamSource{}, Sources: []v1alpha1.StreamSource{{}},
	}
	for name, c := range map[string]struct {
		stream *v1alpha1.Stream
		want   *route.Log
	}{
		"nothing":   {nil, nil},
		"no config": {&v1alpha1.Stream{}, &route.Log{}},
		"unlimited": {&v1alpha1.Stream{Config: &v1alpha1.StreamConfig{MaxBytes: -1, MaxConsumers: -1, MaxMsgs: -1}}, &route.Log{}},
		"all of it": {&v1alpha1.Stream{Config: full}, &route.Log{
			Subjects: []string{"a.>"}, MaxConsumers: 3, MaxBytes: 5, History: time.Hour, Memory: true, Replicas: 3, DedupWindow: time.Minute,
			Placement: route.Placement{Cluster: "east", Tags: "a,b"},
		}},
		"of somebody else's": {&v1alpha1.Stream{OverrideName: "X", Config: full}, &route.Log{Stream: "X", Subjects: []string{"a.>"}}},
	} {
		if got := logOf(c.stream); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// What a Channel's annotations ask for its subscribers, they get.
func TestSourceHasWhatTheAnnotationsSay(t *testing.T) {
	c := &v1alpha1.NatsJetStreamChannel{}
	c.Annotations = map[string]string{compile.PausedAnnotation: "an audit", compile.DeadLetterCopyAnnotation: "true"}
	if got := (&work{channel: c}).source(); got.Paused != "an audit" || !got.DeadLetterCopy {
		t.Errorf("%+v", got)
	}
}

func TestStartOf(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)))
	utc := at.UTC()
	for policy, want := range map[v1alpha1.DeliverPolicy]route.Start{
		"": {}, v1alpha1.NewDeliverPolicy: {}, v1alpha1.AllDeliverPolicy: {Policy: route.StartAll}, v1alpha1.LastDeliverPolicy: {Policy: route.StartLast},
		v1alpha1.ByStartSequenceDeliverPolicy: {Policy: route.StartSequence, Sequence: 7},
		v1alpha1.ByStartTimeDeliverPolicy:     {Policy: route.StartTime, Time: &utc},
	} {
		c := &v1alpha1.ConsumerConfigTemplate{DeliverPolicy: policy, OptStartSeq: 7, OptStartTime: &at}
		if got := startOf(c); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v", policy, got)
		}
	}
	if got := startOf(nil); got != (route.Start{}) {
		t.Errorf("%+v", got)
	}
}

func TestMaxInFlight(t *testing.T) {
	for pending, want := range map[int]int{-1: 0, 0: 0, 7: 7, 20000: 10000} {
		if got := maxInFlight(&v1alpha1.ConsumerConfigTemplate{MaxAckPending: pending}); got != want {
			t.Errorf("%d becomes %d", pending, got)
		}
	}
	if got := maxInFlight(nil); got != 0 {
		t.Error(got)
	}
}
