package dispatch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestWorkTooLargeToPark waits in the process, however long the delays are.
func TestWorkTooLargeToPark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(503)
		tt := withPolicy(target("t"), delivery.Policy{Retry: 3, Backoff: delivery.ExponentialBackoff, Delay: time.Minute})
		w.publish(tt, "e")
		p := newProcess(w)
		pool, err := NewPool(Config{Opener: p, Store: unparkableStore{p}, Sender: p})
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

// unparkableStore finds all work too large to be parked.
type unparkableStore struct{ *process }

func (unparkableStore) Park(context.Context, route.Target, Work, time.Time) error { return ErrTooLarge }

// TestStoreAwayForAnHour: the subscriber gets the event again until the reply is stored, but ever more
// rarely, and no failed attempt is counted.
func TestStoreAwayForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = binaryReply(200)
		w.faults["reply"], w.faults["park"] = 1<<30, 1<<30
		tt := target("t")
		w.publish(tt, "e")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		<-time.After(time.Hour)
		synctest.Wait()
		if tasks := pool.waiting(tt); len(tasks) != 1 || tasks[0].Attempt != 0 {
			t.Errorf("waiting: %+v, want the event, with no failed attempt", tasks)
		}
		w.mu.Lock()
		clear(w.faults)
		w.mu.Unlock()
		w.awaitSettled(t, tt)
		if n := w.delivered(subscriberURL)["e"]; n < 10 || n > 25 {
			t.Errorf("%d requests in an hour without store", n)
		}
		if n := w.count("release"); len(w.replies) != 1 || len(w.deadLetters) != 0 || n != 0 {
			t.Errorf("replies %v, dead letters %v, %d released, want one reply and nothing else", w.replies, w.deadLetters, n)
		}
	})
}

// TestTasksWithoutPlaceKeepTheirSlots: beyond maxWaiting, while nothing can be parked.
func TestTasksWithoutPlaceKeepTheirSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = status(503, 200)
		w.faults["park"] = 1 << 30
		tt := withPolicy(target("t"), delivery.Policy{Retry: 1, Backoff: delivery.ExponentialBackoff, Delay: time.Minute})
		w.publish(tt, ids("e", maxWaiting+10)...)
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		if waiting, inFlight := len(pool.waiting(tt)), pool.inFlight(tt); waiting != maxWaiting || inFlight != 10 || w.count("release") != 0 {
			t.Errorf("%d wait, %d in flight, %d released; want %d, 10 that keep their slots, and none", waiting, inFlight, w.count("release"), maxWaiting)
		}
		w.awaitSettled(t, tt)
	})
}

// TestSinkIsTriedForEver lets a sink refuse for two hours: the event waits ever longer and reaches it in the end, with
// its first failure and without another request to the subscriber.
func TestSinkIsTriedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		begin := time.Now()
		w.hosts[subscriberURL] = status(400)
		w.hosts[sinkURL] = func(context.Context, int, Request) Response {
			if time.Since(begin) < 2*time.Hour {
				return Response{StatusCode: 503}
			}
			return Response{StatusCode: 202}
		}
		tt := withSink(target("t"))
		w.publish(tt, "e")
		startPool(t, newProcess(w)).Sync(t.Context(), []route.Target{tt})
		w.awaitSettled(t, tt)

		if took := time.Since(begin); took > 2*time.Hour+6*time.Minute {
			t.Errorf("accepted only after %s", took)
		}
		if n := w.delivered(sinkURL)["e"]; n < 24 || n > 40 {
			t.Errorf("%d requests to the sink in two hours", n)
		}
		if n := w.delivered(subscriberURL)["e"]; n != 1 {
			t.Errorf("%d requests to the subscriber, want 1", n)
		}
	})
}

// TestDeadLetterKeepsItsFirstFailure: an event that was a dead letter before keeps its attributes, as upstream has it.
func TestDeadLetterKeepsItsFirstFailure(t *testing.T) {
	w := Work{Event: testEvent("e").With(delivery.ErrorDest, "http://first.test/"), Failure: &Failure{Destination: subscriberURL, Code: 404}}
	e := withFailure(w)
	if dest, code := e.Attr(delivery.ErrorDest), e.Attr(delivery.ErrorCode); dest != "http://first.test/" || code != "404" {
		t.Errorf("failed at %s with %s, want the first destination and the code that was missing", dest, code)
	}
}
