package news

import (
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// An edit is Unknown for a moment and Ready right after it: the second reconciliation may read what was there before the first.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Writes
		at := func(version string) metav1.Object {
			return &metav1.ObjectMeta{Namespace: "shop", Name: "orders", ResourceVersion: version}
		}
		step := func(what string, got, want bool) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		step("nothing was written", w.Stale(at("1"), false), false)
		step("the first write", w.Stale(at("1"), true), false)
		step("the version before it, unchanged", w.Stale(at("1"), false), true)
		step("another resource", w.Stale(&metav1.ObjectMeta{Name: "orders", ResourceVersion: "1"}, false), false)
		step("the version before it, to be written", w.Stale(at("1"), true), false)
		step("the version after it", w.Stale(at("2"), false), false)
		step("a version that was read before", w.Stale(at("1"), false), false)
		step("a write that fails", w.Stale(at("3"), true), false)
		<-time.After(Behind)
		step("long after it", w.Stale(at("3"), false), false)
		step("a write", w.Stale(at("4"), true), false)
		w.Forget(types.NamespacedName{Namespace: "shop", Name: "orders"})
		step("of one that was gone", w.Stale(at("4"), false), false)
	})
}
