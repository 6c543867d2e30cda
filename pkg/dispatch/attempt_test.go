package dispatch

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/coded"
)

var threeRetries = delivery.Policy{Retry: 3, Backoff: delivery.ExponentialBackoff, Delay: time.Second}

// answer makes a host that answers everything alike.
func answer(code int, body string, header ...string) host {
	return func(context.Context, int, Request) Response {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return Response{StatusCode: code, Header: h, Body: []byte(body)}
	}
}

func binaryReply(code int) host {
	return answer(code, "pong", "Ce-Specversion", "1.0", "Ce-Id", "r", "Ce-Source", "/s", "Ce-Type", "t")
}

// TestLifeOfAnEvent delivers one event to a Broker's target and checks where it ended.
func TestLifeOfAnEvent(t *testing.T) {
	noRetries, retries3 := target("t"), withPolicy(target("t"), threeRetries)
	structured := `{"specversion":"1.0","id":"r","source":"/s","type":"t","data":"pong"}`
	for _, test := range []struct {
		name           string
		target         route.Target
		subscriber     host
		hops           string
		wantRequests   int
		wantReply      string // its data
		wantDeadLetter string // how its reason begins, * for any
		wantCode       int
	}{
		{name: "202", target: noRetries, subscriber: status(202), wantRequests: 1},
		{name: "503, 404, then 200", target: retries3, subscriber: status(503, 404, 200), wantRequests: 3},
		{name: "500 until the retries are used up", target: retries3, subscriber: status(500), wantRequests: 4,
			wantDeadLetter: "status 500", wantCode: 500},
		{name: "400 is not retried", target: retries3, subscriber: status(400), wantRequests: 1,
			wantDeadLetter: "status 400", wantCode: 400},
		{name: "no response", target: noRetries, subscriber: func(context.Context, int, Request) Response {
			return Response{Err: errors.New("connection refused")}
		}, wantRequests: 1, wantDeadLetter: "connection refused"},
		{name: "long delays are parked and keep the attempt", subscriber: status(500), wantRequests: 4,
			target:         withPolicy(target("t"), delivery.Policy{Retry: 3, Backoff: delivery.ExponentialBackoff, Delay: time.Minute}),
			wantDeadLetter: "status 500", wantCode: 500},
		{name: "binary reply", target: noRetries, subscriber: binaryReply(200), wantRequests: 1, wantReply: "pong"},
		{name: "structured reply", target: noRetries, subscriber: answer(200, structured, "Content-Type", "application/cloudevents+json"),
			wantRequests: 1, wantReply: `"pong"`},
		{name: "202 is never a reply", target: noRetries, subscriber: binaryReply(202), wantRequests: 1},
		{name: "201 with an event is a reply", target: noRetries, subscriber: binaryReply(201), wantRequests: 1, wantReply: "pong"},
		{name: "201 with anything else is none", target: noRetries, subscriber: answer(201, "{}", "Content-Type", "application/json"), wantRequests: 1},
		{name: "a reply in gzip", target: noRetries, subscriber: answer(200, coded.Gzip(structured), "Content-Type", "application/cloudevents+json", "Content-Encoding", "gzip"),
			wantRequests: 1, wantReply: `"pong"`},
		{name: "a reply in an unknown coding", target: retries3, subscriber: answer(200, structured, "Content-Type", "application/cloudevents+json", "Content-Encoding", "br"),
			wantRequests: 4, wantCode: 502, wantDeadLetter: "*"},
		{name: "an empty body in gzip is no reply", target: noRetries, subscriber: answer(200, coded.Gzip(""), "Content-Encoding", "gzip"), wantRequests: 1},
		{name: "an empty body with a coding is no reply", target: noRetries, subscriber: answer(200, "", "Content-Encoding", "br"), wantRequests: 1},
		{name: "201 with anything else in some coding is none", target: noRetries, subscriber: answer(201, "x", "Content-Encoding", "br"), wantRequests: 1},
		{name: "a reply in gzip that is cut off", target: noRetries, subscriber: answer(200, coded.Gzip(structured)[:40], "Content-Type", "application/cloudevents+json", "Content-Encoding", "gzip"),
			wantRequests: 1, wantCode: 502, wantDeadLetter: "*"},
		{name: "64 MiB in gzip", target: noRetries, subscriber: answer(200, coded.Gzip(strings.Repeat(" ", 64<<20)), "Content-Type", "application/cloudevents+json", "Content-Encoding", "gzip"),
			wantRequests: 1, wantCode: 502, wantDeadLetter: "*"},
		{name: "a reply with two subjects", target: noRetries, subscriber: func(ctx context.Context, n int, r Request) Response {
			response := binaryReply(200)(ctx, n, r)
			response.Header["Ce-Subject"] = []string{"a", "b"}
			return response
		}, wantRequests: 1, wantCode: 502, wantDeadLetter: "*"},
		{name: "a reply with the same subject twice", target: noRetries, subscriber: func(ctx context.Context, n int, r Request) Response {
			response := binaryReply(200)(ctx, n, r)
			response.Header["Ce-Subject"] = []string{"a", "a"}
			return response
		}, wantRequests: 1, wantReply: "pong"},
		{name: "empty 200 is no reply", target: noRetries, subscriber: answer(200, "", "Content-Type", "text/plain"), wantRequests: 1},
		{name: "a body that is no event is a failure", target: noRetries, subscriber: answer(200, "ok"), wantRequests: 1,
			wantDeadLetter: "the response is neither empty nor a CloudEvent: not a CloudEvent: no ce-specversion header",
			wantCode:       502},
		{name: "a malformed reply is retried", target: retries3, subscriber: answer(200, "{", "Content-Type", "application/cloudevents+json"),
			wantRequests: 4, wantCode: 502, wantDeadLetter: "*"},
		{name: "an empty body with attributes has to be an event", target: noRetries, subscriber: answer(200, "", "Ce-Id", "r"),
			wantRequests: 1, wantCode: 502, wantDeadLetter: "*"},
		{name: "a reply that is too long", target: noRetries, subscriber: func(ctx context.Context, n int, r Request) Response {
			response := binaryReply(200)(ctx, n, r)
			response.Truncated = true
			return response
		}, wantRequests: 1, wantCode: 502, wantDeadLetter: errTruncatedReply.Error()},
		{name: "a reply without hops is not retried", target: retries3, subscriber: binaryReply(200), hops: "1", wantRequests: 1,
			wantCode: 400, wantDeadLetter: "permanent failure: reply: hop count (knativebrokerttl) is exhausted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = test.subscriber
				w.publish(test.target, "e")
				if test.hops != "" {
					i := w.logs["t"].items[0]
					i.work.Event = i.work.Event.With(event.HopCount, test.hops)
				}
				startPool(t, newProcess(w)).Sync(t.Context(), []route.Target{test.target})
				w.awaitSettled(t, test.target)

				if got := w.delivered(subscriberURL)["e"]; got != test.wantRequests {
					t.Errorf("%d requests, want %d", got, test.wantRequests)
				}
				if got := string(w.replies["t/1"].Data); got != test.wantReply {
					t.Errorf("reply %q, want %q", got, test.wantReply)
				}
				checkDeadLetter(t, w, test.wantDeadLetter, test.wantCode, test.wantRequests)
			})
		})
	}
}

func checkDeadLetter(t *testing.T, w *world, wantReason string, wantCode, wantAttempts int) {
	t.Helper()
	work, ok := w.deadLetters["t/1"]
	if ok != (wantReason != "") {
		t.Fatalf("dead letter: %t, want %t (%+v)", ok, !ok, work.Failure)
	}
	if !ok {
		return
	}
	f := work.Failure
	if wantReason != "*" && !strings.HasPrefix(f.Reason, wantReason) {
		t.Errorf("reason %q, want %q...", f.Reason, wantReason)
	}
	if f.Code != wantCode || f.Attempts != wantAttempts || f.Destination != subscriberURL {
		t.Errorf("failure %+v, want code %d, %d attempts at %s", f, wantCode, wantAttempts, subscriberURL)
	}
	if string(work.Event.Data) != "data of e" || work.Event.Attr(event.HopCount) == "" {
		t.Errorf("the stored event was changed: %+v", work.Event)
	}
}

// TestRequests checks what the subscriber and the sink get.
func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = answer(400, "no thanks")
		w.hosts[sinkURL] = status(503, 200)
		tt := withSink(target("t"))
		tt.Delivery.Format = delivery.JSONFormat
		w.publish(tt, "e")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		w.awaitSettled(t, tt)

		toSubscriber, toSink := w.requests[subscriberURL][0], w.requests[sinkURL][1]
		if _, has := toSubscriber.Event.Get(event.HopCount); has {
			t.Error("the subscriber got the hop count")
		}
		for _, r := range []Request{toSubscriber, toSink} {
			if r.Namespace != "ns" || !r.JSON || string(r.Event.Data) != "data of e" {
				t.Errorf("request to %s: namespace %q, JSON %t, data %q", r.To.URL, r.Namespace, r.JSON, r.Event.Data)
			}
		}
		for name, want := range map[string]string{
			delivery.ErrorDest: subscriberURL, delivery.ErrorCode: "400", delivery.ErrorData: "bm8gdGhhbmtz",
		} {
			if got := toSink.Event.Attr(name); got != want {
				t.Errorf("the sink got %s %q, want %q", name, got, want)
			}
		}
		synctest.Wait()
		subscriber, sink, stored, inFlight := len(w.requests[subscriberURL]), len(w.requests[sinkURL]), len(w.deadLetters), pool.inFlight(tt)
		if subscriber != 1 || sink != 2 || stored != 0 || inFlight != 0 {
			t.Errorf("%d requests to the subscriber, %d to the sink, %d dead letters stored, %d in flight; want 1, 2, none and none",
				subscriber, sink, stored, inFlight)
		}
	})
}

// TestFailureBodyIsDecoded: a dead letter has the text of the response, decoded. The sender reads only its head.
func TestFailureBodyIsDecoded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var long strings.Builder
	long.WriteString("no thanks")
	for range 8 << 10 {
		long.WriteString(strconv.Itoa(random.IntN(10)))
	}
	for name, test := range map[string]struct{ coding, body, want string }{
		"whole":                 {"gzip", coded.Gzip("no thanks"), "no thanks"},
		"cut off":               {"gzip", coded.Gzip(long.String())[:3<<10], "no thanks"},
		"not coded":             {"gzip", "no thanks", "no thanks"},
		"in a coding not known": {"br", "no thanks", "no thanks"},
		"without one":           {"identity", "no thanks", "no thanks"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL] = answer(400, test.body, "Content-Encoding", test.coding)
				w.publish(target("t"), "e")
				startPool(t, newProcess(w)).Sync(t.Context(), []route.Target{target("t")})
				w.awaitSettled(t, target("t"))
				failure := w.deadLetters["t/1"].Failure
				if failure == nil || !strings.HasPrefix(string(failure.Body), test.want) || len(failure.Body) > maxFailureBody {
					t.Fatalf("%+v", failure)
				}
				if !strings.Contains(failure.Reason, test.want) {
					t.Errorf("reason %q", failure.Reason)
				}
			})
		})
	}
}
