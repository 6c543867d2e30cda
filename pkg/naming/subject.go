package naming

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The second token of a subject.
const (
	events      = "e"
	directed    = "d"
	parked      = "p"
	deadLetters = "dead"
	trims       = "trim"
	stats       = "stats"
)

// LogSubjects covers every event in the address's log.
func (n Names) LogSubjects(k route.Key) string { return n.address(events, k) + ".>" }

// EventSubject is the subject of the events of one type.
func (n Names) EventSubject(k route.Key, eventType string) string {
	address := n.address(events, k)
	subject := make([]byte, 0, len(address)+1+len(eventType)+16)
	subject = append(subject, address...)
	return string(appendType(append(subject, '.'), eventType))
}

// TypePrefixSubject covers the subjects of all types that begin with typePrefix, and possibly more,
// as a subject filter can only end at a dot. It covers the whole log if typePrefix has no dot.
func (n Names) TypePrefixSubject(k route.Key, typePrefix string) string {
	dot := strings.LastIndexByte(typePrefix, '.')
	if dot < 0 {
		return n.LogSubjects(k)
	}
	head, _, _ := appendHead(nil, typePrefix[:dot])
	if len(head) == 0 {
		return n.LogSubjects(k)
	}
	return n.address(events, k) + "." + string(head) + ".>"
}

// DirectedSubjects covers the directed events that are due, of all targets of the address.
func (n Names) DirectedSubjects(k route.Key) string { return n.address(directed, k) + ".>" }

// DirectedSubject is the subject of the events for this target alone.
func (n Names) DirectedSubject(t route.TargetKey) string { return n.target(directed, t) }

// ParkedSubjects covers the parked events of all targets of the address.
func (n Names) ParkedSubjects(k route.Key) string { return n.address(parked, k) + ".>" }

// ParkedSubjectsOf covers the parked events of one target.
func (n Names) ParkedSubjectsOf(t route.TargetKey) string { return n.target(parked, t) + ".*" }

// DeadLetterSubjects covers everything in the address's dead-letter stream.
func (n Names) DeadLetterSubjects(k route.Key) string { return n.address(deadLetters, k) + ".>" }

// DeadLetterSubject is the subject of the target's dead letters.
func (n Names) DeadLetterSubject(t route.TargetKey) string { return n.target(deadLetters, t) }

// TrimSubject is the subject of requests to trim the address's log now. No stream stores them.
func (n Names) TrimSubject(k route.Key) string { return n.address(trims, k) }

// TrimSubjects covers the TrimSubject of every address.
func (n Names) TrimSubjects() string { return n.prefix + "." + trims + ".>" }

// StatsSubject is the subject of requests for the counts of a role. No stream stores them.
func (n Names) StatsSubject(role route.Role) string {
	return n.prefix + "." + stats + "." + token(string(role))
}

// ParseTrim returns the address of a subject made by TrimSubject, or ErrSubject.
func (n Names) ParseTrim(subject string) (route.Key, error) {
	tokens := strings.Split(subject, ".")
	if len(tokens) != 2+addressTokens || tokens[0] != n.prefix || tokens[1] != trims {
		return route.Key{}, fmt.Errorf("%w: %q", ErrSubject, subject)
	}
	k, ok := parseAddress(tokens[2:])
	if !ok {
		return route.Key{}, fmt.Errorf("%w: %q", ErrSubject, subject)
	}
	return k, nil
}

func (n Names) address(use string, k route.Key) string {
	return n.prefix + "." + use + "." + token(string(k.Kind)) + "." + token(k.Namespace) + "." + token(k.Name)
}

func (n Names) target(use string, t route.TargetKey) string {
	return n.address(use, t.Address) + "." + token(t.Namespace) + "." + token(t.Name)
}

// Subjects returns the sorted subjects of the target's log that cover every event that its filter
// matches, and possibly more. It returns none if only the whole log covers them.
func (n Names) Subjects(t route.Target) []string {
	var subjects []string
	for _, types := range filter.TypesOf(t.Filter) {
		subject := n.EventSubject(t.Key.Address, types.Name)
		if types.Prefix {
			subject = n.TypePrefixSubject(t.Key.Address, types.Name)
		}
		if subject == n.LogSubjects(t.Key.Address) {
			return nil
		}
		subjects = append(subjects, subject)
	}
	slices.Sort(subjects)
	return slices.Compact(subjects)
}
