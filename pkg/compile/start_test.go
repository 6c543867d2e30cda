package compile_test

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A Trigger of a cluster is read again and again: what is relative, is so to when the Trigger was made.
func TestStart(t *testing.T) {
	made := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	earlier := made.Add(-2 * time.Hour)
	for value, want := range map[string]route.Start{
		"new": {}, "all": {Policy: route.StartAll}, "seq:17": {Policy: route.StartSequence, Sequence: 17},
		"2026-01-31T10:00:00Z": {Policy: route.StartTime, Time: &earlier}, "2h": {Policy: route.StartTime, Time: &earlier},
	} {
		trigger := triggerOf(t, "")
		trigger.CreationTimestamp = metav1.NewTime(made)
		trigger.Annotations = map[string]string{compile.StartAnnotation: value}
		got, err := compile.Trigger(trigger, brokerOf(t, ""), compile.Options{})
		if err != nil || !reflect.DeepEqual(got.Start, want) {
			t.Errorf("%q: %+v, error %v, want %+v", value, got.Start, err, want)
		}
	}
	trigger := triggerOf(t, "")
	trigger.Annotations = map[string]string{compile.StartAnnotation: "soon"}
	if _, err := compile.Trigger(trigger, brokerOf(t, ""), compile.Options{}); err == nil || paths(err) != "metadata.annotations["+compile.StartAnnotation+"]" {
		t.Errorf("error %v, want one that names the annotation", err)
	}
	trigger.Annotations[compile.StartAnnotation] = "1h"
	got, err := compile.Trigger(trigger, brokerOf(t, ""), compile.Options{})
	if err != nil || time.Since(*got.Start.Time) < time.Hour || time.Since(*got.Start.Time) > 2*time.Hour {
		t.Errorf("a file's Trigger begins at %v, error %v, want an hour ago", got.Start.Time, err)
	}
}
