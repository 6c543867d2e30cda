package dispatch

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// opened is how many sources of logs were opened.
func (w *world) opened() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opens
}

func TestSyncServesWhatIsReady(t *testing.T) {
	notReady, noConsumer, noSubscriber, paused := target("a"), target("b"), target("c"), target("e")
	paused.Paused = "an audit"
	notReady.NotReady = "the subscriber is not resolved"
	noConsumer.Consumer = ""
	noSubscriber.Subscriber = nil
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(200)
		pool := startPool(t, newProcess(w))
		ready := target("d")
		wanted := []route.Target{notReady, noConsumer, noSubscriber, paused, ready}
		for range 3 {
			pool.Sync(t.Context(), wanted)
		}
		if n := w.queue(w.logs, ready).open; n != 1 || len(w.logs) != 1 {
			t.Errorf("%d sources of the log are open and %d logs are, want 1, once", n, len(w.logs))
		}
		d := pool.dispatchers[ready.Key]
		if pool.retire(d) || pool.dispatchers[ready.Key] != d {
			t.Error("a dispatcher that has an assignment was retired")
		}
		if served := pool.Served(); !slices.Equal(served, []route.TargetKey{ready.Key}) {
			t.Errorf("served %v, want only %s", served, ready.Key)
		}

		pool.Sync(t.Context(), nil)
		synctest.Wait()
		if served := pool.Served(); len(served) != 0 {
			t.Errorf("still served: %v", served)
		}
		w.publish(ready, "late")
		pool.Sync(t.Context(), wanted)
		w.awaitSettled(t, ready)
		pool.Drain(t.Context())
		if w.overlaps != 0 {
			t.Error("two sources of one queue were open at the same time")
		}
	})
}

// TestNothingBeginsByOutdatedTargets, neither a first attempt nor a retry that is due, until the targets are current again.
func TestNothingBeginsByOutdatedTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(500, 200)
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1, Backoff: delivery.ExponentialBackoff, Delay: 2 * time.Second})
		w.publish(tt, "retried")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		outdated := func(is bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.outdated = is
			w.change()
		}
		outdated(true)
		w.publish(tt, "first")
		<-time.After(time.Minute)
		if got := w.delivered(subscriberURL); got["retried"] != 1 || got["first"] != 0 {
			t.Errorf("requests while the targets are outdated: %v, want only the one before", got)
		}
		outdated(false)
		w.awaitSettled(t, tt)
		if got := w.delivered(subscriberURL); got["retried"] != 2 || got["first"] != 2 {
			t.Errorf("requests: %v, want two for each event", got)
		}
	})
}

// TestChangeDuringDelivery changes a target over and over while 2,000 events pass: each is delivered exactly once, and no
// two runners have the log open at a time.
func TestChangeDuringDelivery(t *testing.T) {
	const events = 2000
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		other := "http://other.test/"
		var mu sync.Mutex
		seen := map[string]int{}
		host := func(_ context.Context, n int, r Request) Response {
			<-time.After(time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			seen[r.Event.Attr("id")]++
			return Response{StatusCode: 200}
		}
		w.hosts[subscriberURL], w.hosts[other] = host, host
		tt := target("t")
		for i := range events {
			w.publish(tt, strconv.Itoa(i))
		}
		pool := startPool(t, newProcess(w))
		for i := 0; ; i++ {
			tt.MaxInFlight = 1 + i%7
			tt.Subscriber = &route.Destination{URL: []string{subscriberURL, other}[i/7%2]}
			pool.Sync(t.Context(), []route.Target{tt})
			<-time.After(3 * time.Millisecond)
			w.mu.Lock()
			left := w.queue(w.logs, tt).unacked()
			w.mu.Unlock()
			if left == 0 {
				break
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if w.overlaps != 0 {
			t.Errorf("two runners had the log open at the same time, %d times", w.overlaps)
		}
		if len(seen) != events {
			t.Errorf("%d events delivered, want %d", len(seen), events)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("event %s was delivered %d times", id, n)
			}
		}
	})
}

// TestChangeKeepsWaitingRetries hands a retry over to the runner of the changed target, with its attempt count.
func TestChangeKeepsWaitingRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL], w.hosts["http://new.test/"] = status(500), status(200)
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1, Backoff: delivery.ExponentialBackoff, Delay: 8 * time.Second})
		w.publish(tt, "e")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		if tasks := pool.waiting(tt); len(tasks) != 1 || tasks[0].Attempt != 1 {
			t.Fatalf("waiting: %+v, want one retry after one failed attempt", tasks)
		}
		tt.Subscriber = &route.Destination{URL: "http://new.test/"}
		pool.Sync(t.Context(), []route.Target{tt})
		w.awaitSettled(t, tt)
		if a, b := w.delivered(subscriberURL)["e"], w.delivered("http://new.test/")["e"]; a != 1 || b != 1 {
			t.Errorf("%d requests before and %d after the change, want one each", a, b)
		}
		if slices.Contains(w.steps, "release") {
			t.Errorf("the retry was given back: %v", w.steps)
		}
	})
}

// TestChangeKeepsTheRetryThatWaitsForASlot: the runner has taken it already, and the next runner gets it.
func TestChangeKeepsTheRetryThatWaitsForASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = func(ctx context.Context, n int, r Request) Response {
			if n == 0 {
				return Response{StatusCode: 500}
			}
			return hang(ctx, n, r)
		}
		w.hosts["http://new.test/"] = status(200)
		tt := withPolicy(target("t"), delivery.Policy{Retry: 5, Timeout: time.Hour})
		tt.MaxInFlight = 1
		w.publish(tt, "a", "b", "c")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		tt.Subscriber = &route.Destination{URL: "http://new.test/"}
		pool.Sync(t.Context(), []route.Target{tt})
		w.await(t, "all but the hanging one delivered", func() bool { return w.queue(w.logs, tt).unacked() == 1 })
		for id, n := range w.delivered("http://new.test/") {
			if n != 1 {
				t.Errorf("%s was delivered %d times", id, n)
			}
		}
	})
}

// TestNewSubscriberHasNewSlots: requests that hang at the old subscriber take no slots of the new one.
func TestNewSubscriberHasNewSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts["http://hangs.test/"], w.hosts[subscriberURL] = hang, status(200)
		tt := target("t")
		tt.MaxInFlight = 2
		tt.Subscriber = &route.Destination{URL: "http://hangs.test/"}
		w.publish(tt, ids("e", 10)...)
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		tt.Subscriber = &route.Destination{URL: subscriberURL}
		begin := time.Now()
		pool.Sync(t.Context(), []route.Target{tt})
		w.await(t, "the rest delivered", func() bool { return w.queue(w.logs, tt).unacked() == 2 })
		if took := time.Since(begin); took != 0 {
			t.Errorf("the new subscriber waited %s", took)
		}
	})
}
