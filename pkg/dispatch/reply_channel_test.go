package dispatch

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const replyURL = "http://reply.test/"

// channelTarget is a Channel's target with a subscriber and a place for its replies.
func channelTarget(policy delivery.Policy) route.Target {
	t := withPolicy(target("t"), policy)
	t.Key.Address.Kind = route.KindChannel
	t.Reply = &route.Destination{URL: replyURL}
	return t
}

func withoutSubscriber(t route.Target) route.Target {
	t.Subscriber = nil
	return t
}

func withoutReply(t route.Target) route.Target {
	t.Reply = nil
	return t
}

// inTurn makes a host that answers each request for an event as the next of these hosts, the last one for ever.
func inTurn(hosts ...host) host {
	return func(ctx context.Context, n int, r Request) Response { return hosts[min(n, len(hosts)-1)](ctx, n, r) }
}

// TestLifeOfAnEventInAChannel counts the requests to each side, as upstream's conformance tests do
// (test/rekt/features/channel), and checks the dead letter.
func TestLifeOfAnEventInAChannel(t *testing.T) {
	noRetries, retries1 := channelTarget(delivery.Policy{}), channelTarget(delivery.Policy{Retry: 1})
	retries3Slowly := channelTarget(delivery.Policy{Retry: 3, Backoff: delivery.ExponentialBackoff, Delay: time.Minute})
	malformed := answer(200, "{", "Content-Type", "application/cloudevents+json")
	type sent map[string]int // requests by URL
	for _, test := range []struct {
		name              string
		target            route.Target
		subscriber, reply host
		want              sent
		wantCode          int // of the dead letter; 0 for none, -1 for one without a response
		wantAt            string
	}{
		{name: "delivered", target: noRetries, subscriber: status(202), want: sent{subscriberURL: 1}},
		{name: "replied", target: noRetries, subscriber: binaryReply(200), reply: status(202), want: sent{subscriberURL: 1, replyURL: 1}},
		{name: "replied, without a reply destination", target: withoutReply(noRetries), subscriber: binaryReply(200), want: sent{subscriberURL: 1}},
		{name: "202 is never a reply", target: noRetries, subscriber: binaryReply(202), want: sent{subscriberURL: 1}},
		{name: "200 with a text is no reply", target: noRetries, subscriber: answer(200, "ok", "Content-Type", "text/plain"), want: sent{subscriberURL: 1}},
		{name: "malformed reply", target: noRetries, subscriber: malformed, want: sent{subscriberURL: 1}, wantCode: 502, wantAt: subscriberURL},
		{name: "malformed reply, without a reply destination", target: withoutReply(noRetries), subscriber: malformed, want: sent{subscriberURL: 1}},
		{name: "a batch is no reply", target: noRetries, subscriber: answer(200, "[]", "Content-Type", "application/cloudevents-batch+json"),
			want: sent{subscriberURL: 1}, wantCode: 502, wantAt: subscriberURL},
		{name: "the subscriber answers with 500", target: retries1, subscriber: status(500), want: sent{subscriberURL: 2}, wantCode: 500, wantAt: subscriberURL},
		{name: "both fail once", target: retries1, subscriber: inTurn(status(503), binaryReply(200)), reply: status(503, 200),
			want: sent{subscriberURL: 2, replyURL: 2}},
		{name: "the reply is answered with 503", target: retries1, subscriber: inTurn(status(503), binaryReply(200)), reply: status(503),
			want: sent{subscriberURL: 2, replyURL: 2}, wantCode: 503, wantAt: replyURL},
		{name: "the reply is answered with 400", target: retries1, subscriber: binaryReply(200), reply: status(400),
			want: sent{subscriberURL: 1, replyURL: 1}, wantCode: 400, wantAt: replyURL},
		{name: "no response to the reply", target: retries1, subscriber: binaryReply(200), reply: func(context.Context, int, Request) Response {
			return Response{Err: errors.New("connection refused")}
		}, want: sent{subscriberURL: 1, replyURL: 2}, wantCode: -1, wantAt: replyURL},
		{name: "a reply that waits long is parked, and the subscriber not asked again", target: retries3Slowly, subscriber: binaryReply(200),
			reply: status(503, 503, 503, 200), want: sent{subscriberURL: 1, replyURL: 4}},
		{name: "reply only", target: withoutSubscriber(noRetries), reply: status(202), want: sent{replyURL: 1}},
		{name: "reply only, its reply is dropped", target: withoutSubscriber(noRetries), reply: binaryReply(200), want: sent{replyURL: 1}},
		{name: "reply only, answered with 500", target: withoutSubscriber(retries1), reply: status(500), want: sent{replyURL: 2}, wantCode: 500, wantAt: replyURL},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL], w.hosts[replyURL] = test.subscriber, test.reply
				w.publish(test.target, "e")
				startPool(t, newProcess(w)).Sync(t.Context(), []route.Target{test.target})
				w.awaitSettled(t, test.target)

				got := sent{}
				for url, requests := range w.requests {
					got[url] = len(requests)
				}
				if !maps.Equal(got, test.want) {
					t.Errorf("requests %v, want %v", got, test.want)
				}
				checkFailure(t, w, test.wantCode, test.wantAt)
				if len(w.replies) > 0 {
					t.Errorf("a Channel's reply is in its log: %+v", w.replies)
				}
			})
		})
	}
}

func checkFailure(t *testing.T, w *world, wantCode int, wantAt string) {
	t.Helper()
	work, dead := w.deadLetters["t/1"]
	if dead != (wantCode != 0) {
		t.Fatalf("dead letter: %t, want %t (%+v)", dead, !dead, work.Failure)
	}
	if !dead {
		return
	}
	if work.Failure.Code != max(wantCode, 0) || work.Failure.Destination != wantAt {
		t.Errorf("failure %+v, want code %d at %s", work.Failure, wantCode, wantAt)
	}
	if work.Reply != nil || work.Event.Attr(event.ID) != "e" || string(work.Event.Data) != "data of e" {
		t.Errorf("the dead letter is %+v, want the event alone", work)
	}
}

// TestAChannelAddsNothing: the subscriber gets the event as it came in, and the reply destination the reply as it was.
func TestAChannelAddsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = answer(200, "pong", "Ce-Specversion", "0.3", "Ce-Id", "r", "Ce-Source", "/s", "Ce-Type", "t",
			"Ce-Knativebrokerttl", "1", "Traceparent", "of-the-reply")
		w.hosts[replyURL] = status(200)
		tt := channelTarget(delivery.Policy{Format: delivery.JSONFormat})
		w.publish(tt, "e")
		startPool(t, newProcess(w)).Sync(t.Context(), []route.Target{tt})
		w.awaitSettled(t, tt)

		toSubscriber, reply := w.requests[subscriberURL][0], w.requests[replyURL][0]
		if hops := toSubscriber.Event.Attr(event.HopCount); hops != "10" {
			t.Errorf("the subscriber got the hop count %q, want the sender's own", hops)
		}
		for name, want := range map[string]string{event.SpecVersion: "0.3", event.ID: "r", event.HopCount: "1", event.ArrivalTime: ""} {
			if got := reply.Event.Attr(name); got != want {
				t.Errorf("the reply has %s %q, want %q", name, got, want)
			}
		}
		if !reply.JSON || reply.Namespace != "ns" || string(reply.Event.Data) != "pong" || reply.Event.Headers[0].Value != "of-the-reply" {
			t.Errorf("the reply was sent as %+v", reply)
		}
	})
}

// TestAReplyFollowsItsTarget to another reply destination, or is dropped once there is none.
func TestAReplyFollowsItsTarget(t *testing.T) {
	const otherURL = "http://other.test/"
	for name, change := range map[string]func(*route.Target){
		"another destination": func(t *route.Target) { t.Reply = &route.Destination{URL: otherURL} },
		"no destination":      func(t *route.Target) { t.Reply = nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL], w.hosts[replyURL], w.hosts[otherURL] = binaryReply(200), status(503), status(200)
				tt := channelTarget(delivery.Policy{Retry: 1000, Delay: time.Second})
				w.publish(tt, "e")
				pool := startPool(t, newProcess(w))
				pool.Sync(t.Context(), []route.Target{tt})
				w.await(t, "the reply is answered with 503", func() bool { return len(w.requests[replyURL]) > 0 })
				change(&tt)
				pool.Sync(t.Context(), []route.Target{tt})
				w.awaitSettled(t, tt)
				if n := len(w.requests[subscriberURL]); n != 1 {
					t.Errorf("the subscriber was asked %d times", n)
				}
				if want := map[string]int{"another destination": 1}[name]; len(w.requests[otherURL]) != want {
					t.Errorf("%d requests to the other place, want %d", len(w.requests[otherURL]), want)
				}
				if len(w.deadLetters) > 0 {
					t.Errorf("it is a dead letter: %+v", w.deadLetters)
				}
			})
		})
	}
}

// TestRepliedIsCalledForAChannel, also when there is no reply destination.
func TestRepliedIsCalledForAChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = binaryReply(http.StatusOK)
		tt := withoutReply(channelTarget(delivery.Policy{}))
		w.publish(tt, "e")
		p := newProcess(w)
		replied := make(chan event.Event, 1)
		pool, err := NewPool(Config{Opener: p, Store: p, Sender: p, Replied: func(_ route.Target, e event.Event) { replied <- e }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { drainNow(pool) })
		pool.Sync(t.Context(), []route.Target{tt})
		w.awaitSettled(t, tt)
		if e := <-replied; e.Attr(event.Type) != "t" {
			t.Errorf("called for %+v", e)
		}
	})
}
