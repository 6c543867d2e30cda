package filter

import (
	"maps"
	"slices"
	"strings"
)

// subjectSet is a union of NATS subjects, each literal or with one wildcard: a ".>" at its end.
type subjectSet map[string]struct{}

// restOf ends a subject that covers everything below it, but not what it is below.
const restOf = ".>"

func newSubjectSet(subjects ...string) subjectSet {
	s := make(subjectSet, len(subjects))
	for _, subject := range subjects {
		s[subject] = struct{}{}
	}
	return s
}

func (s subjectSet) has(subject string) bool {
	_, found := s[subject]
	return found
}

func (s subjectSet) add(other subjectSet) { maps.Copy(s, other) }

func (s subjectSet) sorted() []string { return slices.Sorted(maps.Keys(s)) }

// covers tells whether one of the set's subjects is the subject or a wildcard above it.
func (s subjectSet) covers(subject string) bool {
	return s.has(subject) || s.coversFromAbove(subject)
}

// coversFromAbove tells whether a wildcard of the set, other than the subject itself, covers the subject.
func (s subjectSet) coversFromAbove(subject string) bool {
	for wider, found := widened(subject); found; wider, found = widened(wider) {
		if s.has(wider) {
			return true
		}
	}
	return false
}

// widened returns the narrowest wildcard that covers the subject and more; found is false where there is none.
func widened(subject string) (wider string, found bool) {
	dot := strings.LastIndexByte(strings.TrimSuffix(subject, restOf), '.')
	if dot < 0 {
		return "", false
	}
	return subject[:dot] + restOf, true
}

// depth is the number of dots before the end or the wildcard.
func depth(subject string) int { return strings.Count(strings.TrimSuffix(subject, restOf), ".") }

// reduced leaves out what another subject of the set covers.
func (s subjectSet) reduced() subjectSet {
	kept := newSubjectSet()
	for subject := range s {
		if !s.coversFromAbove(subject) {
			kept[subject] = struct{}{}
		}
	}
	return kept
}

// intersection is exact: of two subjects that meet, one covers the other.
func (s subjectSet) intersection(other subjectSet) subjectSet {
	both := newSubjectSet()
	for subject := range s {
		if other.covers(subject) {
			both[subject] = struct{}{}
		}
	}
	for subject := range other {
		if s.covers(subject) {
			both[subject] = struct{}{}
		}
	}
	return both.reduced()
}

// atMost returns at most so many subjects that cover the set: it replaces the longest ones by their parents until few
// enough are left, so that what differs near the root stays apart. It returns none where even the first tokens are too many.
func (s subjectSet) atMost(most int) subjectSet {
	for len(s) > most {
		deepest := 0
		for subject := range s {
			deepest = max(deepest, depth(subject))
		}
		if deepest == 0 {
			return nil
		}
		next := newSubjectSet()
		for subject := range s {
			if wider, found := widened(subject); found && depth(subject) == deepest {
				subject = wider
			}
			next[subject] = struct{}{}
		}
		s = next.reduced()
	}
	return s
}
