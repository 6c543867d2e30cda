package share

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// roster tells who gets an event. It is never modified.
type roster struct {
	members map[route.TargetKey]*member
	// bySubject are those who want single types of events, by their subjects. others have to look at each event.
	bySubject map[string][]reader
	others    []reader
	readers   map[route.TargetKey]reader
	// most is what the group may hold.
	most int
}

// reader is what a member wants, as of one roster.
type reader struct {
	*member
	spec  filter.Spec
	match *filter.Matcher
	after uint64
	// subjects cover what the filter matches; nil when it takes every subject to do so.
	subjects []string
}

// newRoster takes over the members of the roster before it.
func newRoster(targets []route.Target, before *roster, subjectsOf func(route.Target) []string) (*roster, error) {
	r := &roster{
		members: make(map[route.TargetKey]*member, len(targets)), bySubject: map[string][]reader{},
		readers: make(map[route.TargetKey]reader, len(targets)), most: Room,
	}
	for _, t := range targets {
		m := before.members[t.Key]
		if m == nil {
			m = &member{key: t.Key, target: t}
		}
		one := before.readers[t.Key]
		if one.match == nil || !reflect.DeepEqual(one.spec, t.Filter) {
			match, err := filter.Compile(t.Filter)
			if err != nil {
				return nil, fmt.Errorf("filter of %s: %w", t.Key, err)
			}
			one = reader{spec: t.Filter, match: match, subjects: subjectsOf(t)}
		}
		one.member, one.after = m, t.After
		r.members[t.Key], r.readers[t.Key] = m, one
		r.enter(one)
		if len(targets) == 1 {
			inFlight := t.MaxInFlight
			if inFlight <= 0 {
				inFlight = route.DefaultMaxInFlight
			}
			r.most = min(2*inFlight, Room)
		}
	}
	return r, nil
}

func (r *roster) enter(one reader) {
	exact := len(one.subjects) > 0
	for _, s := range one.subjects {
		exact = exact && !isPrefix(s)
	}
	if !exact {
		r.others = append(r.others, one)
		return
	}
	for _, s := range one.subjects {
		r.bySubject[s] = append(r.bySubject[s], one)
	}
}

// want returns who gets the work.
func (r *roster) want(subject string, w dispatch.Work) []*member {
	var wanted []*member
	var reading filter.Reading
	for _, some := range [2][]reader{r.bySubject[subject], r.others} {
		for _, one := range some {
			if one.wants(subject, w, &reading) {
				wanted = append(wanted, one.member)
			}
		}
	}
	return wanted
}

// wants compares the whole filter. What could not be read, and comes as a failure, is for all who may want its subject.
func (r *reader) wants(subject string, w dispatch.Work, reading *filter.Reading) bool {
	switch {
	case w.Sequence <= r.after:
		return false
	case w.Failure != nil:
		return r.covers(subject)
	default:
		return r.match.MatchWith(w.Event, reading)
	}
}

func (r *reader) covers(subject string) bool {
	for _, s := range r.subjects {
		if s == subject || isPrefix(s) && strings.HasPrefix(subject, s[:len(s)-1]) {
			return true
		}
	}
	return len(r.subjects) == 0
}

// isPrefix tells a subject for types that begin alike from that of one type.
func isPrefix(subject string) bool { return strings.HasSuffix(subject, ".>") }
