package compile_test

import (
	"encoding/json"
	"slices"
	"testing"

	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

func TestFilterNotes(t *testing.T) {
	const passedOver = " is empty: the filter is passed over, and where no other one holds events back all of them pass"
	for spec, want := range map[string][]string{
		`{}`:                                    nil,
		`{"filter":{}}`:                         nil, // what upstream's webhook makes of a Trigger without a filter
		`{"filters":[]}`:                        {"spec.filters is empty: every event passes"},
		`{"filter":{"attributes":{}}}`:          {"spec.filter.attributes is empty: every event passes"},
		`{"filter":{"attributes":{"type":""}}}`: nil, // any type, by Knative's documentation
		`{"filter":{"attributes":{"type":"a"}},"filters":[]}`:                 nil,
		`{"filter":{"attributes":{}},"filters":[{"exact":{"type":"a"}}]}`:     nil,
		`{"filter":{"attributes":{"x":"a"}},"filters":[{"exact":{"y":"a"}}]}`: {"spec.filter is not read beside spec.filters"},
		`{"filters":[{"exact":{"type":"a"}},{"cesql":"type = ''"}]}`:          nil,
		`{"filters":[{"exact":{"type":""}}]}`:                                 {"spec.filters[0].exact[type]" + passedOver},
		`{"filters":[{"cesql":"TRUE"},{"prefix":{"source":"/a","type":""}}]}`: {"spec.filters[1].prefix[type]" + passedOver},
		`{"filters":[{"any":[{"suffix":{"id":""}},{"not":{"exact":{"id":""}}}]}]}`: {
			"spec.filters[0].any[0].suffix[id]" + passedOver, "spec.filters[0].any[1].not.exact[id]" + passedOver,
		},
		`{"filters":[{},{"all":[]},{"all":[{"exact":{}}]}]}`: {
			"spec.filters[0]" + passedOver, "spec.filters[1]" + passedOver, "spec.filters[2].all[0]" + passedOver,
		},
	} {
		var trigger eventingv1.TriggerSpec
		if err := json.Unmarshal([]byte(spec), &trigger); err != nil {
			t.Fatal(err)
		}
		if got := compile.FilterNotes(trigger); !slices.Equal(got, want) {
			t.Errorf("%s: noted %q, want %q", spec, got, want)
		}
	}
}
