package filter

import "github.com/eventing-jetstream/eventing-jetstream/pkg/event"

// Matcher evaluates a whole filter. It is immutable: any number of goroutines may use it at the same time.
type Matcher struct {
	// root is nil when every event matches.
	root node
}

// Match tells whether the target gets the event. It does not see the hop count, which upstream removes before it filters.
func (m *Matcher) Match(e event.Event) bool {
	matches, _ := m.Decide(e)
	return matches
}

// Decide is Match that tells a false one, with undecided, from one that may be true later: a function that CESQL calls could not tell yet.
func (m *Matcher) Decide(e event.Event) (matches, undecided bool) {
	if m.root == nil {
		return true, false
	}
	v := m.root.eval(e)
	return v == pass || v == silent, v == open
}

// verdict is what a node says of an event. Upstream knows a third answer besides pass and fail: "no filter", of a filter
// that has nothing to say, which neither "not" turns around nor the trigger takes for a refusal. The fourth is that it cannot be told yet.
//
// Source: knative.dev/eventing pkg/eventfilter/filter.go.
type verdict int8

const (
	silent verdict = iota
	pass
	fail
	open
)

// node is one expression of a compiled filter. The event goes by value, so that nothing is allocated for it.
type node interface {
	eval(e event.Event) verdict
}

// several is settled as soon as a part says so: by a part that fails where all have to pass, by one
// that passes where any may. Not settled, an open part and else the last one speaks for it.
type several struct {
	parts   []node
	settles verdict
}

func (n several) eval(e event.Event) verdict {
	last, opened := silent, false
	for _, part := range n.parts {
		if last = part.eval(e); last == n.settles {
			return last
		}
		opened = opened || last == open
	}
	if opened {
		return open
	}
	return last
}

// not turns pass and fail around. Its part is nil when upstream skips what is negated.
type not struct {
	part node
}

func (n not) eval(e event.Event) verdict {
	if n.part == nil {
		return silent
	}
	switch v := n.part.eval(e); v {
	case pass:
		return fail
	case fail:
		return pass
	default:
		return v
	}
}
