package dispatch

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// opened counts how often the log of any target was opened.
func (w *world) opened() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.steps {
		if s == "open log" {
			n++
		}
	}
	return n
}

func TestSyncServesWhatIsReady(t *testing.T) {
	notReady, noConsumer, noSubscriber := target("a"), target("b"), target("c")
	notReady.NotReady = "the subscriber is not resolved"
	noConsumer.Consumer = ""
	noSubscriber.Subscriber = nil
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(200)
		pool := startPool(t, newProcess(w))
		ready := target("d")
		wanted := []route.Target{notReady, noConsumer, noSubscriber, ready}
		for range 3 {
			pool.Sync(t.Context(), wanted)
		}
		if n := w.opened(); n != 1 {
			t.Errorf("opened %d logs, want 1, once", n)
		}
		if f := pool.Failures(); len(f) != 0 {
			t.Errorf("failures %v, want none", f)
		}
		l := pool.lanes[ready.Key]
		if pool.retire(l) || pool.lanes[ready.Key] != l {
			t.Error("a lane that got an order was retired")
		}
		if _, served := pool.Stats()[ready.Key]; !served || len(pool.Stats()) != 1 {
			t.Errorf("served %v, want only %s", pool.Stats(), ready.Key)
		}

		pool.Sync(t.Context(), nil)
		synctest.Wait()
		if len(pool.Stats()) != 0 {
			t.Errorf("still served: %v", pool.Stats())
		}
		w.publish(ready, "late")
		pool.Sync(t.Context(), wanted)
		w.awaitSettled(t, ready)
		pool.Drain(t.Context())
		if w.orphans != 0 {
			t.Error("a source lost its context before it was stopped")
		}
	})
}

// TestSourceThatEnds by itself is opened again, and at once when it had been open for long.
func TestSourceThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(200)
		tt := target("t")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		for i, test := range []struct{ openFor, wantClosedFor time.Duration }{
			{time.Hour, reopenFirst}, {time.Second, 2 * reopenFirst}, {time.Second, 4 * reopenFirst}, {time.Hour, reopenFirst},
		} {
			<-time.After(test.openFor)
			w.endSources()
			synctest.Wait()
			if why := pool.Failures()[tt.Key]; why != errSourceEnded.Error() {
				t.Errorf("end %d: failure %q, want %q", i, why, errSourceEnded)
			}
			begin := time.Now()
			w.publish(tt, "e")
			w.awaitSettled(t, tt)
			if took := time.Since(begin); took != test.wantClosedFor {
				t.Errorf("end %d: served again after %s, want %s", i, took, test.wantClosedFor)
			}
		}
	})
}

// TestSourceThatCannotBeOpened is reported, with its reason, until it works.
func TestSourceThatCannotBeOpened(t *testing.T) {
	for _, step := range []string{"open log", "open directed"} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = status(200)
				w.faults[step] = 5
				tt := target("t")
				w.publish(tt, "e")
				pool := startPool(t, newProcess(w))
				pool.Sync(t.Context(), []route.Target{tt})
				if why := pool.Failures()[tt.Key]; !strings.Contains(why, step+": "+errInjected.Error()) {
					t.Errorf("failure %q, want the injected one", why)
				}
				w.awaitSettled(t, tt)
				if f := pool.Failures(); len(f) != 0 {
					t.Errorf("failures %v after all, want none", f)
				}
			})
		})
	}
}

func TestBrokenFilterIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(200)
		broken := target("t")
		broken.Filter = filter.Spec{Filters: []filter.Expression{{CESQL: "type = = 'a'"}}}
		w.publish(broken, "e")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{broken})
		if why := pool.Failures()[broken.Key]; !strings.HasPrefix(why, "filter: ") {
			t.Errorf("failure %q, want the filter's", why)
		}
		pool.Sync(t.Context(), []route.Target{target("t")})
		w.awaitSettled(t, broken)
		if f := pool.Failures(); len(f) != 0 {
			t.Errorf("failures %v after the filter was mended", f)
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
			tt.Filter.Attributes = map[string]string{"type": []string{"", "test.type"}[i/3%2]}
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

// TestChangeKeepsWaitingRetries hands a retry over to the runner of the mended target, with its attempt count.
func TestChangeKeepsWaitingRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL], w.hosts["http://mended.test/"] = status(500), status(200)
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1, Backoff: delivery.ExponentialBackoff, Delay: 8 * time.Second})
		w.publish(tt, "e")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		if s := pool.Stats()[tt.Key]; s.Waiting != 1 || s.Retried != 1 {
			t.Fatalf("stats %+v, want one waiting retry", s)
		}
		tt.Subscriber = &route.Destination{URL: "http://mended.test/"}
		pool.Sync(t.Context(), []route.Target{tt})
		w.awaitSettled(t, tt)
		if a, b := w.delivered(subscriberURL)["e"], w.delivered("http://mended.test/")["e"]; a != 1 || b != 1 {
			t.Errorf("%d requests before and %d after the change, want one each", a, b)
		}
		if slices.Contains(w.steps, "release") {
			t.Errorf("the retry was given back: %v", w.steps)
		}
	})
}

// TestChangeKeepsTheRetryInHand: the one that waits for a slot, which the runner has taken already, goes to the next runner.
func TestChangeKeepsTheRetryInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = func(ctx context.Context, n int, r Request) Response {
			if n == 0 {
				return Response{StatusCode: 500}
			}
			return hang(ctx, n, r)
		}
		w.hosts["http://mended.test/"] = status(200)
		tt := withPolicy(target("t"), delivery.Policy{Retry: 5, Timeout: time.Hour})
		tt.MaxInFlight = 1
		w.publish(tt, "a", "b", "c")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		tt.Subscriber = &route.Destination{URL: "http://mended.test/"}
		pool.Sync(t.Context(), []route.Target{tt})
		w.await(t, "all but the hanging one delivered", func() bool { return w.queue(w.logs, tt).unacked() == 1 })
		for id, n := range w.delivered("http://mended.test/") {
			if n != 1 {
				t.Errorf("%s was delivered %d times", id, n)
			}
		}
	})
}

// TestMovedSubscriberStartsAfresh: requests that hang at the old subscriber take no slots of the new one.
func TestMovedSubscriberStartsAfresh(t *testing.T) {
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

// TestSlowOpening: Sync does not outstay its context, and an opening that hangs is given up. Only then it is a failure: whoever
// says that a target cannot be served while it is merely being opened makes its Trigger unready for a moment.
func TestSlowOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		hanging := hangingOpener{newProcess(w)}
		pool, err := NewPool(Config{Opener: hanging, Store: hanging, Sender: hanging})
		if err != nil {
			t.Fatal(err)
		}
		defer drainNow(pool)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		pool.Sync(ctx, []route.Target{target("t")})
		if took := time.Since(begin); took != time.Second {
			t.Errorf("Sync took %s, want its context's second", took)
		}
		if f := pool.Failures(); len(f) != 0 {
			t.Errorf("failures %v of what is being opened", f)
		}
		<-time.After(openTimeout)
		synctest.Wait()
		if why := pool.Failures()[target("t").Key]; !strings.Contains(why, "open the log: "+context.Canceled.Error()) {
			t.Errorf("failure %q, want that the opening was given up", why)
		}
	})
}

// TestSyncReturnsWhenOverruled: another Sync withdraws what the first one waits for.
func TestSyncReturnsWhenOverruled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := hangingOpener{newProcess(newWorld())}
		pool, err := NewPool(Config{Opener: hanging, Store: hanging, Sender: hanging})
		if err != nil {
			t.Fatal(err)
		}
		defer drainNow(pool)
		begin := time.Now()
		go func() {
			<-time.After(time.Second)
			pool.Sync(t.Context(), nil)
		}()
		pool.Sync(t.Context(), []route.Target{target("t")})
		if took := time.Since(begin); took != time.Second {
			t.Errorf("Sync took %s, want the second after which it was overruled", took)
		}
	})
}

// hangingOpener takes as long as it is given.
type hangingOpener struct{ *process }

func (hangingOpener) Log(ctx context.Context, _ route.Target, _ int) (Source, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
