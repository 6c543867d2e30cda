package share

import (
	"runtime"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Take evaluates filters without the lock, and then finds in the lock who each member is. A roster
// that is seen before its new members are somebody would have their parts taken for done.
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
