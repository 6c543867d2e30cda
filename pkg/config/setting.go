package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rickb777/date/period"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Limits of the settings' values.
const (
	maxInFlight  = 10_000
	maxConsumers = 100_000
	maxLogBytes  = 1 << 60
	maxReason    = 256
	// minLetterAge is more than the time for which the dead-letter stream remembers message ids: NATS wants that.
	minLetterAge = time.Minute
)

// Setting stores one value where it belongs, or says what a value must be.
type Setting func(value string) error

// LogSettings are the settings of a Broker's log by name. They are the keys of a Broker's ConfigMap and, behind a prefix, the
// annotations of a Broker.
func LogSettings(log *route.Log) map[string]Setting {
	return map[string]Setting{
		"max-bytes":     func(v string) (err error) { log.MaxBytes, err = parseBytes(v); return err },
		"replicas":      func(v string) (err error) { log.Replicas, err = parseReplicas(v); return err },
		"storage":       func(v string) (err error) { log.Memory, err = parseStorage(v); return err },
		"history":       func(v string) (err error) { log.History, err = parseDuration(v); return err },
		"dedup-window":  func(v string) (err error) { log.DedupWindow, err = parseDuration(v); return err },
		"max-consumers": func(v string) (err error) { log.MaxConsumers, err = parseCount(v, maxConsumers); return err },

		"dead-letter-max-bytes": func(v string) (err error) { log.DeadLetterMaxBytes, err = parseBytes(v); return err },
		"dead-letter-max-age":   func(v string) (err error) { log.DeadLetterMaxAge, err = parseLetterAge(v); return err },
		"dead-letter-when-full": func(v string) (err error) { log.DiscardOldLetters, err = parseWhenFull(v); return err },
	}
}

// TargetSettings are the settings of a Trigger, in the same way.
func TargetSettings(inFlight *int) map[string]Setting {
	return map[string]Setting{
		"max-in-flight": func(v string) (err error) { *inFlight, err = parseCount(v, maxInFlight); return err },
	}
}

// PausedSetting stores why a target, or all targets of an address, are paused.
func PausedSetting(why *string) Setting {
	return func(value string) error {
		if text := strings.TrimSpace(value); text == "" || text == "false" || len(text) > maxReason {
			return fmt.Errorf("must say why, in at most %d bytes; to resume, remove the annotation", maxReason)
		}
		*why = strings.TrimSpace(value)
		return nil
	}
}

// CopySetting stores whether a dead letter that is for a sink is kept in the dead-letter stream as well.
func CopySetting(copies *bool) Setting {
	return func(value string) error {
		if value != "true" && value != "false" {
			return errors.New("must be true or false")
		}
		*copies = value == "true"
		return nil
	}
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
	return 0, errors.New("must be 1, 3 or 5")
}

func parseStorage(value string) (memory bool, err error) {
	switch value {
	case "file":
		return false, nil
	case "memory":
		return true, nil
	}
	return false, errors.New("must be file or memory")
}

func parseCount(value string, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("must be a whole number from 1 to %d", most)
	}
	return n, nil
}

// placementName matches the name of a NATS cluster or a server tag.
var placementName = regexp.MustCompile(`^[A-Za-z0-9_:.-]{1,255}$`)

func parsePlacementName(value string) (string, error) {
	if !placementName.MatchString(value) {
		return "", errors.New("must be letters, digits and _ : . -")
	}
	return value, nil
}

func parsePlacementTags(value string) (string, error) {
	tags := strings.Split(value, ",")
	for i, tag := range tags {
		tag, err := parsePlacementName(strings.TrimSpace(tag))
		if err != nil {
			return "", errors.New("must be tags of NATS servers, separated by commas")
		}
		tags[i] = tag
	}
	return strings.Join(tags, ","), nil
}

// fractionOfSeconds finds the decimals of a duration's seconds, of which the library keeps the first alone.
var fractionOfSeconds = regexp.MustCompile(`^(P[^T]*T.*[0-9])[.,]([0-9]{1,9})S$`)

// ParseISODuration parses a duration as a delivery spec writes it, to the nanosecond; it must not be negative.
func ParseISODuration(value string) (time.Duration, error) {
	whole, fraction := value, time.Duration(0)
	if parts := fractionOfSeconds.FindStringSubmatch(value); parts != nil {
		whole = parts[1] + "S"
		fraction, _ = time.ParseDuration("0." + parts[2] + "s") // the expression has what it needs
	}
	p, err := period.Parse(whole)
	if err != nil || p.IsNegative() {
		return 0, errors.New("must be an ISO 8601 duration that is not negative, such as PT0.2S or PT1M")
	}
	// Days and longer are of no exact length; like upstream, we take the usual one.
	d, _ := p.Duration()
	return d + fraction, nil
}

// parseDuration takes both ways of writing a duration: people know the one from delivery specs, the other from everywhere else.
func parseDuration(value string) (time.Duration, error) {
	if d, err := ParseISODuration(value); err == nil {
		return d, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, errors.New("must be a duration that is not negative, such as PT1H or 1h30m")
	}
	return d, nil
}

func parseLetterAge(value string) (time.Duration, error) {
	age, err := parseDuration(value)
	if err != nil || age != 0 && age < minLetterAge {
		return 0, fmt.Errorf("must be a duration such as P7D or 168h, at least %s, or 0s for none", minLetterAge)
	}
	return age, nil
}

func parseWhenFull(value string) (discardOld bool, err error) {
	switch value {
	case "hold":
		return false, nil
	case "discard-oldest":
		return true, nil
	}
	return false, errors.New("must be hold or discard-oldest")
}
