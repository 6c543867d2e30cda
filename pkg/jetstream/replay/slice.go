package replay

import (
	"fmt"
	"slices"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/requestreply"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Slice says which events of a log are meant, among those that match the target's own filter. What is
// not set excludes none.
type Slice struct {
	// From and To bound when the event was stored: from From on, and before To.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Types are types of events.
	Types []string `json:"types,omitempty"`
	// Filter is a CESQL expression.
	Filter string `json:"filter,omitempty"`
}

// IsEverything tells that no event is excluded.
func (s Slice) IsEverything() bool {
	return s.From.IsZero() && s.To.IsZero() && len(s.Types) == 0 && s.Filter == ""
}

// Matcher is a slice of what matches a target's filter, ready to be compared with events.
type Matcher struct {
	slice       Slice
	target, own *filter.Matcher
}

// NewMatcher compiles both filters. Error: filter.ErrInvalidFilter.
func NewMatcher(s Slice, t route.Target) (m Matcher, err error) {
	m.slice = s
	// Whether an event is a reply to somebody's request cannot be told here: such a filter matches nothing.
	unknown := requestreply.Function(func() map[string]string { return nil })
	if m.target, err = filter.Compile(t.Filter, unknown); err != nil {
		return m, fmt.Errorf("the filter of %s: %w", t.Key, err)
	}
	own := filter.Spec{}
	if s.Filter != "" {
		own.Filters = []filter.Expression{{CESQL: s.Filter}}
	}
	m.own, err = filter.Compile(own)
	return m, err
}

// Has tells whether the event is meant, but for the slice's end. What is no event is nobody's.
func (m Matcher) Has(w dispatch.Work) bool {
	return w.Failure == nil && !w.Stored.Before(m.slice.From) &&
		(len(m.slice.Types) == 0 || slices.Contains(m.slice.Types, w.Event.Attr(event.Type))) &&
		m.target.Match(w.Event) && m.own.Match(w.Event)
}

// ends tells that this event and all after it are not meant.
func (m Matcher) ends(w dispatch.Work) bool {
	return !m.slice.To.IsZero() && !w.Stored.Before(m.slice.To)
}
