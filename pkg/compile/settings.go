package compile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"knative.dev/pkg/apis"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Limits of the annotations' values.
const (
	maxInFlight  = 10_000
	maxConsumers = 100_000
	maxLogBytes  = 1 << 60
)

// setting stores one annotation's value where it belongs, or says what a value must be.
type setting func(value string) error

// brokerSettings are the annotations of a Broker; each writes into the log.
func brokerSettings(log *route.Log) map[string]setting {
	return map[string]setting{
		MaxBytesAnnotation:     func(v string) (err error) { log.MaxBytes, err = parseBytes(v); return err },
		ReplicasAnnotation:     func(v string) (err error) { log.Replicas, err = parseReplicas(v); return err },
		StorageAnnotation:      func(v string) (err error) { log.Memory, err = parseStorage(v); return err },
		HistoryAnnotation:      func(v string) (err error) { log.History, err = parseAnyDuration(v); return err },
		DedupWindowAnnotation:  func(v string) (err error) { log.DedupWindow, err = parseAnyDuration(v); return err },
		MaxConsumersAnnotation: func(v string) (err error) { log.MaxConsumers, err = parseCount(v, maxConsumers); return err },
	}
}

// triggerSettings are the annotations of a Trigger.
func triggerSettings(target *route.Target) map[string]setting {
	return map[string]setting{
		MaxInFlightAnnotation: func(v string) (err error) { target.MaxInFlight, err = parseCount(v, maxInFlight); return err },
	}
}

// apply reads our annotations into the settings. All other annotations are left alone.
func apply(annotations map[string]string, kind string, settings map[string]setting) *apis.FieldError {
	var errs *apis.FieldError
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if !strings.HasPrefix(name, AnnotationPrefix) {
			continue
		}
		path := "metadata.annotations[" + name + "]"
		set, known := settings[name]
		if !known {
			errs = errs.Also(&apis.FieldError{
				Message: "unknown annotation of a " + kind,
				Paths:   []string{path},
				Details: "known: " + strings.Join(slices.Sorted(maps.Keys(settings)), ", "),
			})
			continue
		}
		if err := set(annotations[name]); err != nil {
			errs = errs.Also(apis.ErrInvalidValue(annotations[name], path, err.Error()))
		}
	}
	return errs
}

// plainQuantity matches the quantities that we take. An exponent ("1e9999999") is left out: the quantity parser accepts it
// and then wraps around.
var plainQuantity = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,9})?([KMGTP]i|[kMGTP])?$`)

func parseBytes(value string) (int64, error) {
	want := fmt.Errorf("must be a positive number of bytes such as 512Mi, at most %d", int64(maxLogBytes))
	if !plainQuantity.MatchString(value) {
		return 0, want
	}
	quantity, err := resource.ParseQuantity(value)
	if err != nil || quantity.Sign() <= 0 || quantity.CmpInt64(maxLogBytes) > 0 {
		return 0, want
	}
	return quantity.Value(), nil
}

func parseReplicas(value string) (int, error) {
	switch value {
	case "1", "3", "5":
		return strconv.Atoi(value)
	}
	return 0, fmt.Errorf("must be 1, 3 or 5")
}

func parseStorage(value string) (memory bool, err error) {
	switch value {
	case "file":
		return false, nil
	case "memory":
		return true, nil
	}
	return false, fmt.Errorf("must be file or memory")
}

func parseCount(value string, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("must be a whole number from 1 to %d", most)
	}
	return n, nil
}

// parseAnyDuration takes both ways of writing a duration: people know the one from delivery specs, the other from everywhere else.
func parseAnyDuration(value string) (time.Duration, error) {
	if d, err := parseISODuration(value); err == nil {
		return d, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("must be a duration that is not negative, such as PT1H or 1h30m")
	}
	return d, nil
}
