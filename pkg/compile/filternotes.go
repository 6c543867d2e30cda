package compile

import (
	"fmt"
	"maps"
	"slices"

	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
)

// FilterNotes are lines about what of a Trigger's filter counts for nothing, as upstream has it: events pass that a reader of the
// Trigger may not expect.
func FilterNotes(spec eventingv1.TriggerSpec) []string {
	attributes := spec.Filter != nil && len(spec.Filter.Attributes) > 0
	switch {
	case len(spec.Filters) > 0 && attributes:
		return append([]string{"spec.filter is not read beside spec.filters"}, listNotes("spec.filters", spec.Filters)...)
	case len(spec.Filters) > 0:
		return listNotes("spec.filters", spec.Filters)
	case attributes:
		return nil
	case spec.Filters != nil:
		return []string{"spec.filters is empty: every event passes"}
	case spec.Filter != nil && spec.Filter.Attributes != nil:
		return []string{"spec.filter.attributes is empty: every event passes"}
	}
	return nil
}

func listNotes(path string, filters []eventingv1.SubscriptionsAPIFilter) (notes []string) {
	for i := range filters {
		notes = append(notes, filterNotes(fmt.Sprintf("%s[%d]", path, i), &filters[i])...)
	}
	return notes
}

// passedOver is what upstream does with a filter that says nothing.
const passedOver = "is empty: the filter is passed over, and where no other one holds events back all of them pass"

// filterNotes expects one dialect, as checkFilter does.
func filterNotes(path string, f *eventingv1.SubscriptionsAPIFilter) []string {
	for dialect, attributes := range map[string]map[string]string{"exact": f.Exact, "prefix": f.Prefix, "suffix": f.Suffix} {
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			if attributes[name] == "" {
				return []string{fmt.Sprintf("%s.%s[%s] %s", path, dialect, name, passedOver)}
			}
		}
		if len(attributes) > 0 {
			return nil
		}
	}
	switch {
	case len(f.All) > 0:
		return listNotes(path+".all", f.All)
	case len(f.Any) > 0:
		return listNotes(path+".any", f.Any)
	case f.Not != nil:
		return filterNotes(path+".not", f.Not)
	case f.CESQL == "":
		return []string{path + " " + passedOver}
	}
	return nil
}
