package filter

import (
	"maps"
	"slices"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// maxTypes bounds what TypesOf returns, and by that the work for a filter that names no end of
// types: what is returned for each part of an "all" is compared with that of the others.
const maxTypes = 100

// Types covers event types: the one of this name, or with Prefix all whose names begin so.
type Types struct {
	Name   string
	Prefix bool
}

// covers reports whether each type that the other covers is covered by t.
func (t Types) covers(other Types) bool {
	return t == other || t.Prefix && strings.HasPrefix(other.Name, t.Name)
}

// everyType is what covers the events of a filter that is not bound to types.
func everyType() []Types { return []Types{{Prefix: true}} }

// TypesOf returns what covers the type of every event that the filter matches, in no order. They
// may cover more, never less: who knows the type of an event need not compare it with each filter.
func TypesOf(spec Spec) []Types {
	if len(spec.Filters) > 0 {
		return typesOfAll(spec.Filters)
	}
	if name := spec.Attributes[event.Type]; name != "" {
		return []Types{{Name: name}}
	}
	return everyType()
}

// types returns nothing for an expression that Compile skips.
func (e Expression) types() []Types {
	switch {
	case saysNothing(e.Exact), saysNothing(e.Prefix), saysNothing(e.Suffix), len(e.dialects()) == 0:
		return nil
	case e.Exact[event.Type] != "":
		return []Types{{Name: e.Exact[event.Type]}}
	case e.Prefix[event.Type] != "":
		return []Types{{Name: e.Prefix[event.Type], Prefix: true}}
	case len(e.All) > 0:
		return typesOfAll(e.All)
	case len(e.Any) > 0:
		return typesOfAny(e.Any)
	}
	return everyType()
}

// typesOfAll takes what every part covers. Where that is nothing no event can match, and any part's
// types will do.
func typesOfAll(parts []Expression) []Types {
	common := everyType()
	for _, part := range parts {
		both := map[Types]bool{}
		for _, other := range part.types() {
			for _, t := range common {
				if t.covers(other) {
					both[other] = true
				} else if other.covers(t) {
					both[t] = true
				}
			}
		}
		if len(both) > 0 && len(both) <= maxTypes {
			common = slices.Collect(maps.Keys(both))
		}
	}
	return common
}

// typesOfAny takes what some part covers. Where all parts are skipped that is every type.
func typesOfAny(parts []Expression) []Types {
	union := map[Types]bool{}
	for _, part := range parts {
		for _, t := range part.types() {
			union[t] = true
		}
		if len(union) > maxTypes || union[Types{Prefix: true}] {
			return everyType()
		}
	}
	if len(union) == 0 {
		return everyType()
	}
	return slices.Collect(maps.Keys(union))
}
