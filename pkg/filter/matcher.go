package filter

import (
	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Matcher evaluates a whole filter. It is immutable: any number of goroutines may use it at the same time.
type Matcher struct {
	// root is nil when every event matches.
	root node
}

// Match tells whether the target gets the event. It does not see the hop count, which upstream removes before it filters.
func (m *Matcher) Match(e event.Event) bool { return m.MatchWith(e, nil) }

// MatchWith is Match where several filters are asked about one event: what it costs to hand the event to an engine is paid once, for all
// those with the same Reading.
func (m *Matcher) MatchWith(e event.Event, r *Reading) bool {
	if m.root == nil {
		return true
	}
	return m.root.eval(e, r) != fail
}

// Reading keeps what was made of one event. The zero Reading is of an event that nobody has looked at. For one goroutine.
type Reading struct {
	context cloudevents.EventContext
}

// verdict is what a node says of an event. Upstream knows a third answer besides pass and fail: "no filter", of a filter
// that has nothing to say, which neither "not" turns around nor the trigger takes for a refusal.
//
// Source: knative.dev/eventing pkg/eventfilter/filter.go.
type verdict int8

const (
	silent verdict = iota
	pass
	fail
)

// node is one expression of a compiled filter. The event goes by value, so that nothing is allocated for it; the Reading may be nil.
type node interface {
	eval(e event.Event, r *Reading) verdict
}

// all passes when no part fails; with that settled the last part speaks for it.
type all []node

func (n all) eval(e event.Event, r *Reading) verdict {
	last := silent
	for _, part := range n {
		if last = part.eval(e, r); last == fail {
			return fail
		}
	}
	return last
}

// anyOf passes when a part passes; else the last part speaks for it.
type anyOf []node

func (n anyOf) eval(e event.Event, r *Reading) verdict {
	last := silent
	for _, part := range n {
		if last = part.eval(e, r); last == pass {
			return pass
		}
	}
	return last
}

// not turns pass and fail around. Its part is nil when upstream skips what is negated.
type not struct {
	part node
}

func (n not) eval(e event.Event, r *Reading) verdict {
	if n.part == nil {
		return silent
	}
	switch n.part.eval(e, r) {
	case pass:
		return fail
	case fail:
		return pass
	default:
		return silent
	}
}
