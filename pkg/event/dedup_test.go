package event_test

import (
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func TestDedupID(t *testing.T) {
	pairs := [][2]string{
		{"a", "bc"}, {"ab", "c"}, {"abc", ""}, {"", "abc"}, {"bc", "a"}, {"a", "b"},
		{strings.Repeat("s", 300), "1"}, {strings.Repeat("s", 299), "s1"},
	}
	seen := map[string][2]string{}
	for _, pair := range pairs {
		id := event.DedupID(pair[0], pair[1])
		if len(id) != 22 || strings.ContainsAny(id, "+/= .*>") {
			t.Errorf("%q: got %q, want 22 URL-safe characters", pair, id)
		}
		if other, ok := seen[id]; ok {
			t.Errorf("%q and %q share %q", pair, other, id)
		}
		if again := event.DedupID(pair[0], pair[1]); again != id {
			t.Errorf("%q: got %q and then %q", pair, id, again)
		}
		seen[id] = pair
	}
}
