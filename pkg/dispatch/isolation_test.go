package dispatch

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// ids returns n names with the prefix.
func ids(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return names
}

// TestHangingSubscriberSlowsNobody: its own slots are full, another target's events pass in no time.
func TestHangingSubscriberSlowsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts["http://hangs.test/"], w.hosts[subscriberURL] = hang, status(200)
		hanging, healthy := target("hanging"), target("healthy")
		hanging.Subscriber = &route.Destination{URL: "http://hangs.test/"}
		w.publish(hanging, ids("h", 500)...)
		w.publish(healthy, ids("e", 500)...)
		pool := startPool(t, newProcess(w))
		begin := time.Now()
		pool.Sync(t.Context(), []route.Target{hanging, healthy})
		w.awaitSettled(t, healthy)
		if took := time.Since(begin); took != 0 {
			t.Errorf("the healthy target took %s", took)
		}
		synctest.Wait()
		if n := pool.inFlight(hanging); n != route.DefaultMaxInFlight {
			t.Errorf("%d requests hang, want the limit, %d", n, route.DefaultMaxInFlight)
		}
	})
}

// TestPoisonDoesNotStarveHealthyEvents: 100 events fail at once and then hang in each retry; healthy events of the same
// target, which come later, still have half of the slots.
func TestPoisonDoesNotStarveHealthyEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = func(ctx context.Context, n int, r Request) Response {
			switch {
			case !strings.HasPrefix(r.Event.Attr("id"), "poison"):
				return Response{StatusCode: 200}
			case n == 0:
				return Response{StatusCode: 500}
			}
			return hang(ctx, n, r)
		}
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1000, Timeout: time.Hour})
		tt.MaxInFlight = 7
		w.publish(tt, ids("poison", 100)...)
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		if inFlight, waiting := pool.inFlight(tt), len(pool.waiting(tt)); inFlight != 4 || waiting != 95 {
			t.Fatalf("%d in flight, %d wait, want 4 hanging retries, the upper half of 7, one that waits for a slot and 95 behind it", inFlight, waiting)
		}

		begin := time.Now()
		w.publish(tt, ids("healthy", 1000)...)
		w.await(t, "healthy events delivered", func() bool { return w.queue(w.logs, tt).unacked() == 100 })
		if took := time.Since(begin); took != 0 {
			t.Errorf("healthy events took %s", took)
		}
	})
}

// TestWaitingIsBounded: beyond maxSmallWaiting retries are parked, even short ones.
func TestWaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(500, 200)
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1, Backoff: delivery.ExponentialBackoff, Delay: time.Second})
		w.publish(tt, ids("e", maxSmallWaiting+100)...)
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		if waiting, parked := len(pool.waiting(tt)), w.count("after park"); waiting != maxSmallWaiting || parked != 100 {
			t.Fatalf("%d wait and %d are parked, want %d and 100", waiting, parked, maxSmallWaiting)
		}
		w.awaitSettled(t, tt)
		requests := w.delivered(subscriberURL)
		if len(requests) != maxSmallWaiting+100 {
			t.Errorf("requests for %d events, want %d", len(requests), maxSmallWaiting+100)
		}
		for id, n := range requests {
			if n != 2 {
				t.Errorf("%s: %d requests, want 2", id, n)
			}
		}
		if n := w.count("release"); n != 0 || len(w.deadLetters) != 0 {
			t.Errorf("%d released, dead letters %v, want all delivered and none given back", n, w.deadLetters)
		}
	})
}

// TestDirectedMessagesComeThroughRetries that never stop, even with a single slot for both.
func TestDirectedMessagesComeThroughRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = func(_ context.Context, _ int, r Request) Response {
			if r.Event.Attr("id") == "directed" {
				return Response{StatusCode: 200}
			}
			<-time.After(time.Second)
			return Response{StatusCode: 500}
		}
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1000})
		tt.MaxInFlight = 1
		w.publish(tt, ids("poison", 10)...)
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		<-time.After(30 * time.Second)
		begin := time.Now()
		w.mu.Lock()
		w.queue(w.directed, tt).items = []*item{{work: Work{Event: testEvent("directed"), Sequence: 99}}}
		w.change()
		w.mu.Unlock()
		w.await(t, "the directed message delivered", func() bool { return w.queue(w.directed, tt).unacked() == 0 })
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("the directed message took %s", took)
		}
	})
}

// TestTargetRecoversWhileParkFails: all its slots are held by events that have no place to wait. They must
// not keep new events out once the subscriber answers again, although nothing can be parked even then.
func TestTargetRecoversWhileParkFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		recovered := false
		w.hosts[subscriberURL] = func(context.Context, int, Request) Response {
			w.mu.Lock()
			defer w.mu.Unlock()
			if recovered {
				return Response{StatusCode: 200}
			}
			return Response{StatusCode: 503}
		}
		w.faults["park"] = math.MaxInt
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1000, Backoff: delivery.LinearBackoff, Delay: 11 * time.Second})
		w.publish(tt, ids("e", 1000)...)
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		<-time.After(10 * time.Minute)
		w.mu.Lock()
		recovered = true
		w.mu.Unlock()
		begin := time.Now()
		w.awaitSettled(t, tt)
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("it took %s until all was delivered", took)
		}
	})
}
