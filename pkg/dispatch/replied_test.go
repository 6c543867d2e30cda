package dispatch

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Only a reply that is stored counts as one, however often the store failed before.
func TestWhatIsToldOfReplies(t *testing.T) {
	for _, test := range []struct {
		name       string
		subscriber host
		faults     int
		want       []string
	}{
		{name: "no reply", subscriber: status(202)},
		{name: "a reply", subscriber: binaryReply(200), want: []string{"t r"}},
		{name: "no event", subscriber: answer(200, "ok")},
		{name: "stored at the third try", subscriber: binaryReply(200), faults: 2, want: []string{"t r"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = test.subscriber
				w.faults["reply"] = test.faults
				w.publish(target("t"), "e")
				var mu sync.Mutex
				var told []string
				p := newProcess(w)
				pool, err := NewPool(Config{Opener: p, Store: p, Sender: p, Replied: func(from route.Target, reply event.Event) {
					mu.Lock()
					defer mu.Unlock()
					told = append(told, from.Key.Name+" "+reply.Attr(event.ID))
				}})
				if err != nil {
					t.Fatal(err)
				}
				defer drainNow(pool)
				pool.Sync(t.Context(), []route.Target{target("t")})
				w.awaitSettled(t, target("t"))
				mu.Lock()
				defer mu.Unlock()
				if !slices.Equal(told, test.want) {
					t.Errorf("told of %v, want %v", told, test.want)
				}
			})
		})
	}
}
