package dispatch

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// faultyChannel is faultyWorld for a Channel: one target retries after 1 s, the other after 1 min, so
// that its replies are parked. In the end every event must be acknowledged, each "good reply" accepted
// after one 503, and the event of each "bad reply", which is answered with 400, a dead letter.
func faultyChannel() (*world, []route.Target) {
	w := newWorld()
	w.hosts[subscriberURL] = func(ctx context.Context, n int, r Request) Response {
		id := r.Event.Attr(event.ID)
		if strings.HasPrefix(id, "no reply") {
			return Response{StatusCode: http.StatusAccepted}
		}
		return answer(200, "pong", "Ce-Specversion", "1.0", "Ce-Id", id, "Ce-Source", "/s", "Ce-Type", "t")(ctx, n, r)
	}
	w.hosts[replyURL] = func(_ context.Context, n int, r Request) Response {
		switch {
		case strings.HasPrefix(r.Event.Attr(event.ID), "bad reply"):
			return Response{StatusCode: http.StatusBadRequest}
		case n == 0:
			return Response{StatusCode: http.StatusServiceUnavailable}
		}
		return Response{StatusCode: http.StatusAccepted}
	}
	var targets []route.Target
	for name, delay := range map[string]time.Duration{"retry-1s": time.Second, "retry-1m": time.Minute} {
		t := channelTarget(delivery.Policy{Retry: 100, Backoff: delivery.LinearBackoff, Delay: delay})
		t.Key.Name, t.Consumer, t.MaxInFlight = name, name, 1
		w.publish(t, "no reply "+name, "good reply "+name, "bad reply "+name)
		targets = append(targets, t)
	}
	return w, targets
}

func checkNoReplyLost(t *testing.T, w *world, targets []route.Target) {
	t.Helper()
	for _, tt := range targets {
		w.awaitSettled(t, tt)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	sent := map[string]int{}
	for _, r := range w.requests[replyURL] {
		sent[r.Event.Attr(event.ID)]++
	}
	for _, tt := range targets {
		name := tt.Key.Name
		if sent["good reply "+name] < 2 {
			t.Errorf("the reply of %s was sent %d times, and refused the first time", name, sent["good reply "+name])
		}
		dead, ok := w.deadLetters[name+"/3"]
		if !ok || dead.Event.Attr(event.ID) != "bad reply "+name || dead.Failure.Destination != replyURL || string(dead.Event.Data) == "pong" {
			t.Errorf("the dead letter of %s is %+v with %+v, want the event whose reply is refused", name, dead, dead.Failure)
		}
	}
	if len(w.deadLetters) != len(targets) || len(w.replies) != 0 {
		t.Errorf("dead letters %v, replies in the log %v", w.deadLetters, w.replies)
	}
}

func TestEachStepOfAChannelFails(t *testing.T) {
	for _, step := range []string{
		"send", "dead letter", "park", "ack", "release",
		"after send", "after dead letter", "after park", "after ack", "after release",
	} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, targets := faultyChannel()
				w.faults[step] = 5
				if step == "release" || step == "after release" {
					w.faults["ack"] = 1
				}
				p := newProcess(w)
				startPool(t, p).Sync(t.Context(), targets)
				expireLeases(t, p)
				checkNoReplyLost(t, w, targets)
			})
		})
	}
}

// TestAChannelsProcessDiesAtAnyStep asks for the same end whenever the process dies and another one takes over.
func TestAChannelsProcessDiesAtAnyStep(t *testing.T) {
	for killAt := 1; ; killAt++ {
		survived := false
		synctest.Test(t, func(t *testing.T) {
			w, targets := faultyChannel()
			first := newProcess(w)
			first.killAt = killAt
			pool := startPool(t, first)
			pool.Sync(t.Context(), targets)
			w.await(t, "death or the end", func() bool {
				left := 0
				for _, tt := range targets {
					left += w.queue(w.logs, tt).unacked() + w.queue(w.directed, tt).unacked()
				}
				return first.isDead() || left == 0
			})
			survived = !first.isDead()
			drainNow(pool)
			first.expire()
			startPool(t, newProcess(w)).Sync(t.Context(), targets)
			checkNoReplyLost(t, w, targets)
		})
		if t.Failed() {
			t.Fatalf("the process died at step %d", killAt)
		}
		if survived {
			if killAt < 30 {
				t.Errorf("the story has only %d steps", killAt-1)
			}
			return
		}
	}
}

// TestAnEventWaitsForItsReply: it is not acknowledged before its reply is accepted or parked (I2).
func TestAnEventWaitsForItsReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		begin := time.Now()
		w.hosts[subscriberURL] = binaryReply(200)
		w.hosts[replyURL] = func(context.Context, int, Request) Response {
			if time.Since(begin) < time.Hour {
				return Response{StatusCode: http.StatusServiceUnavailable}
			}
			return Response{StatusCode: http.StatusAccepted}
		}
		w.faults["park"] = 1 << 30
		tt := channelTarget(delivery.Policy{Retry: 1 << 20, Backoff: delivery.LinearBackoff, Delay: time.Second})
		w.publish(tt, "e")
		startPool(t, newProcess(w)).Sync(t.Context(), []route.Target{tt})
		<-time.After(30 * time.Minute)
		synctest.Wait()
		w.mu.Lock()
		if w.logs["t"].items[0].acked {
			t.Errorf("acknowledged before its reply: %v", w.steps[max(0, len(w.steps)-10):])
		}
		w.mu.Unlock()
		w.awaitSettled(t, tt)
		if n := len(w.requests[subscriberURL]); n != 1 {
			t.Errorf("the subscriber was asked %d times", n)
		}
	})
}
