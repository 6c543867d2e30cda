package dispatch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestALogThatStaysFull: an event whose reply never fits is given up after a few deliveries, also when it is parked between them,
// whatever the policy.
func TestALogThatStaysFull(t *testing.T) {
	for _, test := range []struct {
		name         string
		policy       delivery.Policy
		wantRequests int
	}{
		{"without retries", delivery.Policy{}, maxNoRoom + 1},
		{"with retries", threeRetries, maxNoRoom + 1 + threeRetries.Retry},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = binaryReply(200)
				tt := withPolicy(target("t"), test.policy)
				w.publish(tt, "e")
				p := newProcess(w)
				pool, err := NewPool(Config{Opener: p, Store: refusingStore{p, ErrNoRoom}, Sender: p})
				if err != nil {
					t.Fatal(err)
				}
				defer drainNow(pool)
				pool.Sync(t.Context(), []route.Target{tt})
				<-time.After(time.Hour)
				synctest.Wait()
				if n := w.delivered(subscriberURL)["e"]; n != test.wantRequests {
					t.Errorf("%d requests in an hour, want %d", n, test.wantRequests)
				}
				checkDeadLetter(t, w, "*", 502, test.policy.Retry+1)
			})
		})
	}
}

// TestWhatIsTooLargeToBeParked waits in the process, however long the delays are, and comes to its end all the same.
func TestWhatIsTooLargeToBeParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(503)
		tt := withPolicy(target("t"), delivery.Policy{Retry: 3, Backoff: delivery.ExponentialBackoff, Delay: time.Minute})
		w.publish(tt, "e")
		p := newProcess(w)
		pool, err := NewPool(Config{Opener: p, Store: narrowStore{p}, Sender: p})
		if err != nil {
			t.Fatal(err)
		}
		defer drainNow(pool)
		pool.Sync(t.Context(), []route.Target{tt})
		w.awaitSettled(t, tt)
		checkDeadLetter(t, w, "status 503", 503, 4)
		if n := w.count("release"); n != 0 {
			t.Errorf("%d released, want none", n)
		}
	})
}

// narrowStore parks nothing.
type narrowStore struct{ *process }

func (narrowStore) Park(context.Context, route.Target, Work, time.Time) error { return ErrTooLarge }
