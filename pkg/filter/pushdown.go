package filter

import "github.com/eventing-jetstream/eventing-jetstream/pkg/event"

// MaxSubjects bounds what Subjects returns. The server compares each event with each subject of each consumer.
const MaxSubjects = 10

// Names gives the subjects of one address's log. An event lies at the EventSubject of its type.
type Names interface {
	// EventSubject is the subject of the events of exactly this type.
	EventSubject(eventType string) string
	// TypePrefixSubject covers the events of all types with this prefix and maybe others; that of "" covers the log.
	TypePrefixSubject(typePrefix string) string
}

// Subjects returns subjects that cover every event that the filter matches, so that a consumer need not read the rest of
// the log. They may cover more, never less. None overlaps another, as the server demands, there are at most MaxSubjects, and
// they are sorted. None at all means that nothing narrower than the log covers the matching events.
func Subjects(spec Spec, names Names) []string {
	p := pushDown{names, names.TypePrefixSubject("")}
	subjects := p.spec(spec).atMost(MaxSubjects)
	if subjects.has(p.log) {
		return nil
	}
	return subjects.sorted()
}

// pushDown finds, for each expression, subjects that cover all events for which it does not fail.
type pushDown struct {
	names Names
	// log covers everything; it is the answer where nothing better is known.
	log string
}

func (p pushDown) spec(s Spec) subjectSet {
	if len(s.Filters) > 0 {
		return p.all(s.Filters)
	}
	if eventType := s.Attributes[event.Type]; eventType != "" {
		return newSubjectSet(p.names.EventSubject(eventType))
	}
	return newSubjectSet(p.log)
}

func (p pushDown) expression(e Expression) subjectSet {
	switch {
	case e.saysNothing():
	case len(e.Exact) > 0:
		if eventType := e.Exact[event.Type]; eventType != "" {
			return newSubjectSet(p.names.EventSubject(eventType))
		}
	case len(e.Prefix) > 0:
		if typePrefix := e.Prefix[event.Type]; typePrefix != "" {
			return newSubjectSet(p.names.TypePrefixSubject(typePrefix))
		}
	case len(e.All) > 0:
		return p.all(e.All)
	case len(e.Any) > 0:
		return p.any(e.Any)
	}
	return newSubjectSet(p.log)
}

// all takes what every part covers. Where that is nothing no event can match, and any part's subjects will do.
func (p pushDown) all(parts []Expression) subjectSet {
	common := newSubjectSet(p.log)
	for _, part := range parts {
		if both := common.intersection(p.expression(part)); len(both) > 0 {
			common = both
		}
	}
	return common
}

// any takes what some part covers. Parts that say nothing are skipped, and are as wide as the log if all do.
func (p pushDown) any(parts []Expression) subjectSet {
	union := newSubjectSet()
	for _, part := range parts {
		if !part.saysNothing() {
			union.add(p.expression(part))
		}
	}
	if len(union) == 0 {
		return newSubjectSet(p.log)
	}
	return union.reduced()
}

// saysNothing tells whether compile skips the expression.
func (e Expression) saysNothing() bool {
	switch {
	case len(e.Exact) > 0:
		return saysNothing(e.Exact)
	case len(e.Prefix) > 0:
		return saysNothing(e.Prefix)
	case len(e.Suffix) > 0:
		return saysNothing(e.Suffix)
	default:
		return len(e.dialects()) == 0
	}
}
