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

// faultyWorld has two targets, one that retries after 1 s and has a sink, one that retries after 1 min, and
// hosts that answer by the event's id. In the end all events must be acknowledged, the reply to "200 with
// reply" stored, and "400" accepted by the sink, with a copy, or stored in the dead-letter stream.
func faultyWorld() (*world, []route.Target) {
	w := newWorld()
	w.hosts[subscriberURL] = func(ctx context.Context, n int, r Request) Response {
		switch r.Event.Attr(event.ID) {
		case "200 with reply":
			return binaryReply(http.StatusOK)(ctx, n, r)
		case "400":
			return Response{StatusCode: http.StatusBadRequest}
		case "503 then 200, 1s", "503 then 200, 1m":
			if n == 0 {
				return Response{StatusCode: http.StatusServiceUnavailable}
			}
		}
		return Response{StatusCode: http.StatusOK}
	}
	w.hosts[sinkURL] = status(503, 202)
	retry1s := withSink(withPolicy(target("retry-1s"), delivery.Policy{Retry: 100, Backoff: delivery.ExponentialBackoff, Delay: time.Second}))
	retry1s.DeadLetterCopy = true
	retry1m := withPolicy(target("retry-1m"), delivery.Policy{Retry: 100, Backoff: delivery.ExponentialBackoff, Delay: time.Minute})
	for _, t := range []*route.Target{&retry1s, &retry1m} {
		t.MaxInFlight = 1
	}
	w.publish(retry1s, "200", "200 with reply", "400", "503 then 200, 1s")
	w.publish(retry1m, "200 with reply", "400", "503 then 200, 1m")
	return w, []route.Target{retry1s, retry1m}
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
	_, kept := w.deadLetters["retry-1m/2"]
	if _, copied := w.deadLetters["retry-1s/3"]; !kept || !copied || len(w.deadLetters) != 2 {
		t.Errorf("dead letters %v, want the event \"400\" of the target without sink, and the copy of the other's", w.deadLetters)
	}
	accepted := false
	for n, r := range w.requests[sinkURL] {
		if id := r.Event.Attr(event.ID); id != "400" {
			t.Errorf("the sink got %q", id)
		}
		accepted = accepted || n > 0 // the first request is refused
	}
	if !accepted {
		t.Error("the sink has not accepted the event \"400\"")
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

// expireLeases ends every hour the leases that the process failed both to acknowledge and to release, as
// the server does, until the test ends.
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

// TestNothingIsAcknowledgedTooEarly: while a step fails the event is not acknowledged (I2).
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
					w.faults["park"] = 1 << 30
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
