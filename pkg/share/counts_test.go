package share_test

import (
	"testing"
	"testing/synctest"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Events that no member wants are counted, and for each target the events that are parked for it.
func TestCounts(t *testing.T) {
	one, paused := with("one", ofType("a")), with("paused", ofType("b"))
	paused.Paused, paused.Counts, one.Counts = "why", &count.Target{}, &count.Target{}
	inWorld(t, []route.Target{one, paused}, func(t *testing.T, w *world) {
		for _, eventType := range []string{"a", "b", "b", "c", "c", "c"} {
			w.take(eventType)
		}
		w.ackAll("one")
		synctest.Wait()
		if w.unmatched != 3 {
			t.Errorf("%d are unmatched, want 3", w.unmatched)
		}
		if n := paused.Counts.Read(0).Parked; n != 2 {
			t.Errorf("%d are parked for the paused one, want 2", n)
		}
		if n := one.Counts.Read(0).Parked; n != 0 {
			t.Errorf("%d are parked for the other, want none", n)
		}
	})
}
