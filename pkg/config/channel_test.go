package config_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestStartSetting(t *testing.T) {
	at := time.Date(2026, 1, 31, 11, 0, 0, 500, time.UTC)
	made := at.Add(2 * time.Hour)
	for value, want := range map[string]route.Start{
		"new": {}, "all": {Policy: route.StartAll}, "last": {Policy: route.StartLast}, "17": {Policy: route.StartSequence, Sequence: 17},
		"seq:18": {Policy: route.StartSequence, Sequence: 18}, "2h": {Policy: route.StartTime, Time: &at}, "PT2H": {Policy: route.StartTime, Time: &at},
		"2026-01-31T12:00:00.0000005+01:00": {Policy: route.StartTime, Time: &at},
	} {
		got := route.Start{Policy: "before"}
		if err := config.StartSetting(&got, made)(value); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, error %v, want %+v", value, got, err, want)
		}
	}
	for _, value := range []string{"", "0", "-1", "sequence", "time", "2026-01-31", "All", "1.5", "seq:0", "seq:", "seq:-1", "0s", "-2h", "2h ago"} {
		var got route.Start
		if err := config.StartSetting(&got, made)(value); err == nil {
			t.Errorf("%q is read as %+v", value, got)
		}
	}
}

func TestSubjectsSetting(t *testing.T) {
	log := route.Log{Subjects: []string{"before"}}
	if err := config.SubjectsSetting(&log)("a.>, b ,c"); err != nil || !reflect.DeepEqual(log.Subjects, []string{"a.>", "b", "c"}) {
		t.Errorf("%q, error %v", log.Subjects, err)
	}
}
