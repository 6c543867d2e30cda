package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// faultyWorld has one event of each kind, two targets, and hosts that answer by the event's id. The ends that are right:
// all events are acknowledged, "reply" has left a reply, "refused" is with the sink or in the dead-letter stream.
func faultyWorld() (*world, []route.Target) {
	w := newWorld()
	w.hosts[subscriberURL] = func(ctx context.Context, n int, r Request) Response {
		switch r.Event.Attr(event.ID) {
		case "reply":
			return binaryReply(http.StatusOK)(ctx, n, r)
		case "refused":
			return Response{StatusCode: http.StatusBadRequest}
		case "retried soon", "retried late":
			if n == 0 {
				return Response{StatusCode: http.StatusServiceUnavailable}
			}
		}
		return Response{StatusCode: http.StatusOK}
	}
	w.hosts[sinkURL] = status(503, 202)
	soon := withSink(withPolicy(target("soon"), delivery.Policy{Retry: 100, Backoff: delivery.ExponentialBackoff, Delay: time.Second}))
	late := withPolicy(target("late"), delivery.Policy{Retry: 100, Backoff: delivery.ExponentialBackoff, Delay: time.Minute})
	for _, t := range []*route.Target{&soon, &late} {
		t.MaxInFlight = 1
	}
	w.publish(soon, "plain", "reply", "refused", "retried soon")
	w.publish(late, "reply", "refused", "retried late")
	return w, []route.Target{soon, late}
}

// checkNothingLost asserts the ends that faultyWorld names, once everything is acknowledged.
func checkNothingLost(t *testing.T, w *world, targets []route.Target) {
	t.Helper()
	for _, tt := range targets {
		w.awaitSettled(t, tt)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.replies) != 2 {
		t.Errorf("replies %v, want one of each target", w.replies)
	}
	if _, ok := w.deadLetters["late/2"]; !ok || len(w.deadLetters) != 1 {
		t.Errorf("dead letters %v, want the refused event of the target without sink", w.deadLetters)
	}
	accepted := false
	for n, r := range w.requests[sinkURL] {
		if id := r.Event.Attr(event.ID); id != "refused" {
			t.Errorf("the sink got %q", id)
		}
		accepted = accepted || n > 0 // the first request is refused
	}
	if !accepted {
		t.Error("the sink has not got the refused event")
	}
}

// TestEachStepFails makes each step fail, once or for a while, before or after it takes effect: in the end every event is
// where it belongs.
func TestEachStepFails(t *testing.T) {
	for _, step := range []string{
		"send", "reply", "dead letter", "park", "ack", "release",
		"after send", "after reply", "after dead letter", "after park", "after ack", "after release",
	} {
		for _, times := range []int{1, 5} {
			t.Run(fmt.Sprintf("%s fails %d times", step, times), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w, targets := faultyWorld()
					w.faults[step] = times
					if step == "release" || step == "after release" {
						w.faults["ack"] = 1 // else nothing is given back
					}
					p := newProcess(w)
					startPool(t, p).Sync(t.Context(), targets)
					expireLeases(t, p)
					checkNothingLost(t, w, targets)
					if w.faults[step] == times {
						t.Errorf("no %s ever happened", step)
					}
				})
			})
		}
	}
}

// expireLeases plays the server that delivers again what a process failed both to acknowledge and to give back. It ends
// with the test.
func expireLeases(t *testing.T, p *process) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Hour):
				p.expire()
			}
		}
	}()
}

// TestNothingIsAcknowledgedTooEarly holds each step in its failure: the event must then not be acknowledged, however long it lasts.
func TestNothingIsAcknowledgedTooEarly(t *testing.T) {
	retried := withPolicy(target("t"), delivery.Policy{Retry: 1, Backoff: delivery.ExponentialBackoff, Delay: time.Minute})
	for _, test := range []struct {
		step       string
		subscriber host
		target     route.Target
	}{
		{"reply", binaryReply(200), target("t")},
		{"dead letter", status(400), target("t")},
		{"park", status(503, 200), retried},
		{"send", status(200), withPolicy(target("t"), delivery.Policy{Retry: 1 << 30, Backoff: delivery.LinearBackoff, Delay: time.Second})},
	} {
		t.Run(test.step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = test.subscriber
				w.faults[test.step] = 1 << 30
				if test.step != "park" {
					w.faults["park"] = 1 << 30 // nor is there a way out
				}
				w.publish(test.target, "e")
				p := newProcess(w)
				startPool(t, p).Sync(t.Context(), []route.Target{test.target})
				<-time.After(30 * time.Second)
				synctest.Wait()
				w.mu.Lock()
				if i := w.logs["t"].items[0]; i.acked {
					t.Errorf("acknowledged while %s fails: %v", test.step, w.steps)
				}
				clear(w.faults)
				w.mu.Unlock()
				w.awaitSettled(t, test.target)
			})
		})
	}
}

// TestProcessDiesAtAnyStep stops the process at every single step of the whole story, lets another one take over, and asks
// for the same end.
func TestProcessDiesAtAnyStep(t *testing.T) {
	for killAt := 1; ; killAt++ {
		survived := false
		synctest.Test(t, func(t *testing.T) {
			w, targets := faultyWorld()
			first := newProcess(w)
			first.killAt = killAt
			pool := startPool(t, first)
			pool.Sync(t.Context(), targets)
			w.await(t, "death or the end", func() bool {
				return first.isDead() || w.queue(w.logs, targets[0]).unacked()+w.queue(w.logs, targets[1]).unacked()+
					w.queue(w.directed, targets[0]).unacked()+w.queue(w.directed, targets[1]).unacked() == 0
			})
			survived = !first.isDead()
			drainNow(pool)
			first.expire()
			startPool(t, newProcess(w)).Sync(t.Context(), targets)
			checkNothingLost(t, w, targets)
		})
		if t.Failed() {
			t.Fatalf("the process died at step %d", killAt)
		}
		if survived {
			t.Logf("died at each of %d steps", killAt-1)
			if killAt < 30 {
				t.Errorf("the story has only %d steps", killAt-1)
			}
			return
		}
	}
}

// TestStoreAwayForAnHour: the subscriber gets the event again until the reply is stored, but ever more rarely, and no attempt is
// counted: the policy has none.
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

// TestNoPlaceLeft: what can be neither parked nor kept here is given back.
func TestNoPlaceLeft(t *testing.T) {
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

// TestRefusedReply is no reason to wait for the store: the delivery has failed, and ends as a dead letter.
func TestRefusedReply(t *testing.T) {
	for _, c := range []struct {
		name                   string
		why                    error
		wantCode, wantAttempts int
	}{
		{"too large", ErrReplyRefused, http.StatusBadGateway, 4},
		{"nobody may send", ErrReplyForbidden, http.StatusForbidden, 1}, // a 403 is not tried again
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = binaryReply(200)
				tt := withPolicy(target("t"), threeRetries)
				w.publish(tt, "e")
				p := newProcess(w)
				pool, err := NewPool(Config{Opener: p, Store: refusingStore{p, c.why}, Sender: p})
				if err != nil {
					t.Fatal(err)
				}
				defer drainNow(pool)
				pool.Sync(t.Context(), []route.Target{tt})
				w.awaitSettled(t, tt)
				checkDeadLetter(t, w, "*", c.wantCode, c.wantAttempts)
			})
		})
	}
}

// refusingStore takes no replies.
type refusingStore struct {
	*process
	why error
}

func (s refusingStore) Reply(context.Context, route.Target, Work, event.Event) error {
	return fmt.Errorf("for a test: %w", s.why)
}
