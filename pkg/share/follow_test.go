package share

import (
	"runtime"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Take evaluates filters without the lock, and then reads each member's now with the lock. Were a
// roster seen before that is set for new members, Take would settle their parts.
func TestARosterIsSeenOnlyWithItsMembers(t *testing.T) {
	asked := make(chan struct{}, 1)
	g := New(Config{More: func() {}, Subjects: func(route.Target) []string { asked <- struct{}{}; return nil }})
	before := g.roster.Load()
	g.mu.Lock()
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		g.Follow([]route.Target{{Key: route.TargetKey{Name: "new"}}}, nil)
	}()
	<-asked
	for range 10_000 {
		if runtime.Gosched(); g.roster.Load() != before {
			t.Error("the roster of a new member is seen before the member is ready for parts")
			break
		}
	}
	g.mu.Unlock()
	<-followed
	if len(g.roster.Load().readers) != 1 {
		t.Error("the new member is not followed")
	}
}
