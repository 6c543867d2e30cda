package describe

import (
	"strconv"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Where a setting comes from. A route's record doesn't tell all of that apart.
const (
	FromDefault    = "default"
	FromAnnotation = "annotation"
	FromHandle     = "handle"
	FromConfigMap  = "ConfigMap"
	FromSpec       = "spec"
)

// Setting is a setting that is in force.
type Setting struct {
	// Name is that of the annotation, without its prefix, or of the field of the delivery spec.
	Name, Value string
	// From is one of those above, or two of them joined by "or"; empty where nobody can tell. It is
	// FromDefault also where something says what the default is.
	From string `json:",omitempty"`
}

// settings are those that are listed so far.
type settings []Setting

// add lists a setting: with the value, if something has set one, else with what is the default, if
// there is one.
func (s *settings) add(name, value, from, otherwise string) {
	switch {
	case value != "":
		*s = append(*s, Setting{name, value, from})
	case otherwise != "":
		*s = append(*s, Setting{name, otherwise, FromDefault})
	}
}

// from is where the settings of an address of this kind come from that are no default. In files these
// are annotations.
func from(kind route.Kind, ownerName string) string {
	switch {
	case ownerName != owner.ControllerName:
		return FromAnnotation
	case kind == route.KindChannel:
		return FromSpec + " or " + FromAnnotation
	}
	return FromAnnotation + " or " + FromConfigMap
}

// fromSpec is where settings come from that a cluster's Channel has in its spec, and no annotation.
func fromSpec(kind route.Kind, ownerName string) string {
	if kind == route.KindChannel && ownerName == owner.ControllerName {
		return FromSpec
	}
	return FromAnnotation
}

func settingsOfAddress(a status.AddressStatus) []Setting {
	var s settings
	given, spec := from(a.Key.Kind, a.Owner), fromSpec(a.Key.Kind, a.Owner)
	if a.Log.Stream == "" {
		s.add("max-bytes", strconv.FormatInt(a.Log.MaxBytes, 10), "", "") // which the owner has chosen where nothing is set
		s.add("replicas", number(a.Log.Replicas), given, "1")
		s.add("storage", storage(a.Log.Memory), given, "file")
		s.add("history", duration(a.Log.History), given, "none")
		s.add("dedup-window", duration(a.Log.DedupWindow), given, "off")
		s.add("max-consumers", number(a.Log.MaxConsumers), given, strconv.Itoa(owner.DefaultMaxConsumers))
		placement := FromConfigMap
		if a.Key.Kind == route.KindChannel {
			placement = FromSpec
		}
		s.add("placement-cluster", a.Log.Placement.Cluster, placement, "")
		s.add("placement-tags", a.Log.Placement.Tags, placement, "")
	}
	s.add("dead-letter-max-bytes", bytes(a.Log.DeadLetterMaxBytes), given, strconv.FormatInt(a.Log.DeadLetterBytes(), 10))
	s.add("dead-letter-max-age", duration(a.Log.DeadLetterMaxAge), given, "none")
	s.add("dead-letter-when-full", whenFull(a.Log.DiscardOldLetters), given, "hold")
	s.add("stream", a.Log.Stream, spec, "")
	s.add("subjects", strings.Join(a.Log.Subjects, ","), spec, "")
	s.add("paused", a.Paused, pausedBy(a.PausedByHandle), "")
	return s
}

func settingsOfTarget(t route.Target) []Setting {
	var s settings
	inFlight := t.MaxInFlight
	if inFlight == route.DefaultMaxInFlight {
		inFlight = 0
	}
	given := from(t.Key.Address.Kind, t.Owner)
	if t.Key.Address.Kind == route.KindChannel {
		given = fromSpec(t.Key.Address.Kind, t.Owner)
	}
	s.add("max-in-flight", number(inFlight), given, strconv.Itoa(route.DefaultMaxInFlight))
	s.add("start", start(t.Start), fromSpec(t.Key.Address.Kind, t.Owner), "new")
	s.add("paused", t.Paused, pausedBy(t.PausedByHandle), "")
	if t.DeadLetterCopy {
		s.add("dead-letter-copy", "true", FromAnnotation, "")
	}
	d := t.Delivery
	s.add("delivery.retry", strconv.Itoa(d.Retry), "", "")
	s.add("delivery.backoffPolicy", string(d.Backoff), "", "")
	s.add("delivery.backoffDelay", duration(d.Delay), "", "")
	s.add("delivery.timeout", duration(d.Timeout), "", delivery.DefaultTimeout.String())
	if d.RetryAfterMax != nil {
		s.add("delivery.retryAfterMax", d.RetryAfterMax.String(), "", "")
	}
	s.add("delivery.format", string(d.Format), "", "")
	return s
}

func pausedBy(handle bool) string {
	if handle {
		return FromHandle
	}
	return FromAnnotation
}

// start is the start as its annotation says it; empty for the end of the log.
func start(s route.Start) string {
	switch {
	case s.Policy == route.StartSequence:
		return "seq:" + strconv.FormatUint(s.Sequence, 10)
	case s.Policy == route.StartTime && s.Time != nil:
		return s.Time.Format(time.RFC3339Nano)
	}
	return string(s.Policy)
}

// number, bytes, duration, storage and whenFull are empty for what is not set.
func number(n int) string { return bytes(int64(n)) }

func bytes(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func whenFull(discards bool) string {
	if discards {
		return "discard-oldest"
	}
	return ""
}

func duration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func storage(memory bool) string {
	if memory {
		return "memory"
	}
	return ""
}
