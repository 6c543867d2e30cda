package config

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// SubjectsSetting sets the subjects, separated by commas, that a log listens to beside its own. Whether it may is not asked here.
func SubjectsSetting(log *route.Log) Setting {
	return func(value string) error {
		log.Subjects = nil
		for subject := range strings.SplitSeq(value, ",") {
			log.Subjects = append(log.Subjects, strings.TrimSpace(subject))
		}
		return nil
	}
}

// StartSetting sets where a new cursor begins. A duration is that long before the time at which what
// has the setting was made.
func StartSetting(start *route.Start, made time.Time) Setting {
	return func(value string) (err error) {
		*start, err = parseStart(value, made)
		return err
	}
}

func parseStart(value string, made time.Time) (route.Start, error) {
	switch value {
	case "new":
		return route.Start{}, nil
	case string(route.StartAll), string(route.StartLast):
		return route.Start{Policy: route.StartPolicy(value)}, nil
	}
	if sequence, err := strconv.ParseUint(strings.TrimPrefix(value, "seq:"), 10, 64); err == nil && sequence > 0 {
		return route.Start{Policy: route.StartSequence, Sequence: sequence}, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
		at = at.UTC()
		return route.Start{Policy: route.StartTime, Time: &at}, nil
	}
	if ago, err := parseDuration(value); err == nil && ago > 0 {
		at := made.Add(-ago).UTC()
		return route.Start{Policy: route.StartTime, Time: &at}, nil
	}
	return route.Start{}, errors.New("must be new, all, last, a time such as 2026-01-31T12:00:00Z, how long ago such as 2h or P1D, or seq:N, a sequence of the stream")
}
