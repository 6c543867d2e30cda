package share

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// roster is the members, with an index by subject. It is never modified.
type roster struct {
	readers map[route.TargetKey]*reader
	// bySubject are the readers of single event types, by subject; others must look at each event.
	bySubject map[string][]*reader
	others    []*reader
	// served counts the served members. sole is the only member, window the limit of its queue.
	served int
	sole   *member
	window int
}

// reader is a member's target and its compiled filter, as of one roster.
type reader struct {
	member *member
	target route.Target
	// ended is set for a target that was removed and may come back.
	ended bool
	// match is nil when the filter cannot be compiled, and badFilter says why.
	match     *filter.Matcher
	badFilter error
	// subjects cover what the filter matches; nil means every subject.
	subjects []string
}

// parks reports whether the member's events are parked as they come.
func (r *reader) parks() bool { return !r.target.Delivers() || r.ended || r.badFilter != nil }

// newRoster reuses the members of the roster before.
func (c *Config) newRoster(live, ended []route.Target, before *roster) *roster {
	n := len(live) + len(ended)
	r := &roster{bySubject: map[string][]*reader{}, readers: make(map[route.TargetKey]*reader, n)}
	for _, t := range live {
		r.enter(c.readerOf(t, before))
	}
	for _, t := range ended {
		one := c.readerOf(t, before)
		one.ended = true
		r.enter(one)
	}
	if n == 1 {
		for _, one := range r.readers {
			r.sole, r.window = one.member, one.target.MaxInFlight
			if r.window <= 0 {
				r.window = route.DefaultMaxInFlight
			}
		}
	}
	return r
}

func (c *Config) readerOf(t route.Target, before *roster) *reader {
	one := reader{member: &member{key: t.Key}}
	was, known := before.readers[t.Key]
	if known {
		one = *was
	}
	if !known || !reflect.DeepEqual(was.target.Filter, t.Filter) {
		one.match, one.badFilter = filter.Compile(t.Filter, c.Functions...)
		if one.badFilter != nil {
			one.match, one.badFilter = nil, fmt.Errorf("filter: %w", one.badFilter)
		}
		one.subjects = c.Subjects(t)
	}
	one.target, one.ended = t, false
	return &one
}

func (r *roster) enter(one *reader) {
	r.readers[one.target.Key] = one
	if !one.parks() {
		r.served++
	}
	if len(one.subjects) == 0 || slices.ContainsFunc(one.subjects, isPrefix) {
		r.others = append(r.others, one)
		return
	}
	for _, s := range one.subjects {
		r.bySubject[s] = append(r.bySubject[s], one)
	}
}

const (
	// undecidedPause is how long an event is parked that a filter cannot tell of yet. An event
	// older than undecidedFor does not match: a RequestReply waits a minute for a reply.
	undecidedPause = time.Second
	undecidedFor   = time.Minute
)

// want returns a part for each member that gets the message, or may get it later.
func (g *Group) want(r *roster, d *deal) (parts []part) {
	for _, some := range [2][]*reader{r.bySubject[d.subject], r.others} {
		for _, one := range some {
			if wants, undecided := g.wants(one, d); wants || undecided {
				parts = append(parts, part{deal: d, member: one.member, undecided: undecided})
			}
		}
	}
	return parts
}

// wants compares the whole filter. An event with a Failure, which could not be decoded, is for
// every member that covers its subject; so is every event if the member's filter does not compile.
func (g *Group) wants(r *reader, d *deal) (wants, undecided bool) {
	w := &d.message.Work
	switch {
	case g.config.Directed && (w.Attempt > 0 || w.Failure != nil || w.Reply != nil || w.Run > 0):
		return r.covers(d.subject), false // its first attempt has been made, in this run or in an earlier one
	case !g.config.Directed && w.Sequence <= r.target.After:
		return false, false
	case w.Failure != nil || r.match == nil:
		return r.covers(d.subject), false
	case g.config.Directed && !r.covers(d.subject):
		return false, false
	}
	wants, undecided = r.match.Decide(w.Event)
	return wants, undecided && time.Since(w.Stored) < undecidedFor
}

func (r *reader) covers(subject string) bool {
	return len(r.subjects) == 0 || slices.ContainsFunc(r.subjects, func(s string) bool {
		return s == subject || isPrefix(s) && strings.HasPrefix(subject, s[:len(s)-1])
	})
}

// isPrefix reports whether the subject is for all types with a prefix, not for one type.
func isPrefix(subject string) bool { return strings.HasSuffix(subject, ".>") }
