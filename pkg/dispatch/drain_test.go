package dispatch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestRemovalReleasesRetries, those that wait and those that fail later, for what is left of their delay: nothing
// is parked for a target that may never come back.
func TestRemovalReleasesRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = func(_ context.Context, _ int, r Request) Response {
			if r.Event.Attr("id") == "takes 5s" {
				<-time.After(5 * time.Second)
			}
			return Response{StatusCode: 500}
		}
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1, Backoff: delivery.ExponentialBackoff, Delay: 8 * time.Second})
		w.publish(tt, "fails at once", "takes 5s")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		begin := time.Now()
		<-time.After(3 * time.Second)
		pool.Sync(t.Context(), nil)
		pool.Drain(t.Context())
		for i, want := range []time.Duration{8 * time.Second, 13 * time.Second} {
			it := w.logs["t"].items[i]
			if due := it.at.Sub(begin); it.acked || it.holder != nil || due != want {
				t.Errorf("message %d: %+v, due after %s, want given back and due after %s", i, it, due, want)
			}
		}
	})
}

func TestDrain(t *testing.T) {
	for _, test := range []struct {
		name        string
		answerAfter time.Duration
		wantAcked   bool
		wantTook    time.Duration
	}{
		{name: "requests in flight may finish", answerAfter: 20 * time.Second, wantAcked: true, wantTook: 20 * time.Second},
		{name: "at the deadline they are aborted", answerAfter: time.Minute, wantTook: 30 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = func(ctx context.Context, _ int, _ Request) Response {
					select {
					case <-ctx.Done():
						return Response{Err: ctx.Err()}
					case <-time.After(test.answerAfter):
						return Response{StatusCode: 200}
					}
				}
				tt := withPolicy(target("t"), threeRetries)
				tt.MaxInFlight = 1
				w.publish(tt, "in flight", "waits for a slot", "not taken")
				pool := startPool(t, newProcess(w))
				pool.Sync(t.Context(), []route.Target{tt})
				synctest.Wait()

				begin := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				pool.Drain(ctx)
				if took := time.Since(begin); took != test.wantTook {
					t.Errorf("drained in %s, want %s", took, test.wantTook)
				}
				for i, it := range w.logs["t"].items {
					if want := i == 0 && test.wantAcked; it.acked != want || it.holder != nil || it.at.After(time.Now()) {
						t.Errorf("message %d: %+v, want acknowledged %t, held by nobody, due at once", i, it, want)
					}
				}
				pool.Sync(t.Context(), []route.Target{tt})
				if n := w.opened(); n != 1 {
					t.Errorf("a drained pool opened a source")
				}
			})
		})
	}
}
