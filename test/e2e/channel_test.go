package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// startChannels runs the resources, which have a Channel of this name, beside the Broker that every laptop has.
func startChannels(t *testing.T, channel string, resources []resource, flags ...string) *laptop {
	t.Helper()
	l := startLaptop(t, manifest(append([]resource{brokerOf("default", "")}, resources...)...), flags...)
	l.says(t, "channel default/"+channel+"  is ready", 1)
	return l
}

// subscriberAt is the field of a Subscription's spec that sends its events to the URI.
func subscriberAt(uri string) string { return fmt.Sprintf("subscriber: {uri: %q}", uri) }

// replyTo is the field of a Subscription's spec that sends replies to the Channel.
func replyTo(channel resource) string {
	return fmt.Sprintf("reply: {ref: {apiVersion: messaging.knative.dev/v1, kind: Channel, name: %q}}", channel.name)
}

// repliesWith answers with an event of this type and data, whose id is that of the event that it got.
func repliesWith(eventType, data string) answers {
	return func(w http.ResponseWriter, r *http.Request, nth int) {
		says(200, data, "ce-specversion", "1.0", "ce-type", eventType, "ce-source", "/reply", "ce-id", r.Header.Get("ce-id"),
			"content-type", "text/plain")(w, r, nth)
	}
}

func TestChannelFansOutWhatCameByPathAndByHost(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	orders := channelOf("orders", "{}")
	l := startChannels(t, "orders", []resource{orders,
		subscriptionOf(orders, "one", subscriberAt(s.URL+"/one")), subscriptionOf(orders, "two", subscriberAt(s.URL+"/two"))})
	l.accepts(t, "/channels/default/orders", event("a", "by-path"), []byte(`{"n": 1}`))
	root := call{url: l.url("/"), host: "orders-kn-jsm-channel.default.svc.cluster.local", header: event("b", "by-host", "knative-note", "kept"),
		body: strings.NewReader(`{"n": 1}`)}
	if got := root.do(t); got.status != http.StatusAccepted {
		t.Fatalf("POST / at the Channel's host: status %d: %s", got.status, got.body)
	}
	for _, path := range []string{"/one", "/two"} {
		for id, eventType := range map[string]string{"by-path": "a", "by-host": "b"} {
			got := s.getsEvent(t, path, id)
			for name, want := range map[string]string{
				"ce-type": eventType, "ce-source": "/e2e", "ce-specversion": "1.0", "content-type": "application/json", "prefer": "reply",
				"kn-namespace": "default", "ce-knativebrokerttl": "", "ce-knativearrivaltime": "",
			} {
				if got.header.Get(name) != want {
					t.Errorf("%s got %s with %s %q, want %q", path, id, name, got.header.Get(name), want)
				}
			}
			if string(got.body) != `{"n": 1}` {
				t.Errorf("%s got %s with %q", path, id, got.body)
			}
		}
		if note := s.getsEvent(t, path, "by-host").header.Get("knative-note"); note != "kept" {
			t.Errorf("%s got the header knative-note %q", path, note)
		}
	}
	l.drainedOf(t, "subscriptions")
	if one, two := len(s.at("/one")), len(s.at("/two")); one != 2 || two != 2 {
		t.Errorf("%d and %d requests, want 2 and 2", one, two)
	}
	if rows := get[brokerRow](t, l, "channels"); len(rows) != 1 || rows[0].Key.Name != "orders" || !rows[0].Ready {
		t.Errorf("get channels shows %+v", rows)
	}
	if rows := get[triggerRow](t, l, "subscriptions"); len(rows) != 2 {
		t.Errorf("get subscriptions shows %+v", rows)
	}
	if rows := get[triggerRow](t, l, "triggers"); len(rows) != 0 {
		t.Errorf("get triggers shows %+v", rows)
	}
}

// TestChannelChain lets an event run through three Channels: a subscriber's reply into the second, and from there, by a
// Subscription that has a reply only, into the third. What a subscriber answers for which there is no reply is dropped.
func TestChannelChain(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/transform": repliesWith("transformed", "done"), "/last": repliesWith("nobody", "dropped")})
	first, second, third := channelOf("first", "{}"), channelOf("second", "{}"), channelOf("third", "{}")
	l := startChannels(t, "third", []resource{
		first, second, third,
		subscriptionOf(first, "transform", subscriberAt(s.URL+"/transform")+", "+replyTo(second)),
		subscriptionOf(second, "through", replyTo(third)),
		subscriptionOf(second, "watch", subscriberAt(s.URL+"/watch")),
		subscriptionOf(third, "last", subscriberAt(s.URL+"/last")),
	})
	l.accepts(t, "/channels/default/first", event("plain", "1"), nil)
	for _, path := range []string{"/watch", "/last"} {
		if got := s.getsEvent(t, path, "1"); got.header.Get("ce-type") != "transformed" || string(got.body) != "done" {
			t.Errorf("%s got %v %q", path, got.header, got.body)
		}
	}
	l.drainedOf(t, "subscriptions")
	for path, want := range map[string]int{"/transform": 1, "/watch": 1, "/last": 1} {
		if n := len(s.at(path)); n != want {
			t.Errorf("%d requests to %s, want %d", n, path, want)
		}
	}
}

// What fails at a Channel's subscriber, and what fails where its replies go, both end at the dead letter sink: the Subscription's own,
// or the Channel's. A subscriber that has replied is not asked again while its reply is refused.
func TestChannelDeadLetters(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{
		"/fails": says(500, "oh no"), "/replies": repliesWith("reply", "pong"), "/refuses": says(503, "not now"),
		"/recovers": atFirst(2, says(503, ""), says(200, "")), "/twice": atFirst(1, says(503, ""), repliesWith("reply", "pong")),
	})
	const retryTwice = "retry: 2, backoffPolicy: linear, backoffDelay: PT0.1S"
	orders := channelOf("orders", fmt.Sprintf(`{delivery: {%s, deadLetterSink: {uri: "%s/dead/channel"}}}`, retryTwice, s.URL))
	own := fmt.Sprintf(`delivery: {%s, deadLetterSink: {uri: "%s/dead/own"}}`, retryTwice, s.URL)
	reply := func(path string) string { return fmt.Sprintf(", reply: {uri: %q}", s.URL+path) }
	l := startChannels(t, "orders", []resource{orders,
		subscriptionOf(orders, "fails", subscriberAt(s.URL+"/fails")),
		subscriptionOf(orders, "replies", subscriberAt(s.URL+"/replies")+reply("/refuses")+", "+own),
		subscriptionOf(orders, "twice", subscriberAt(s.URL+"/twice")+reply("/recovers")),
	})
	l.accepts(t, "/channels/default/orders", event("order", "1"), []byte(`{"n": 1}`))
	for sink, want := range map[string]struct{ dest, code, data string }{
		"/dead/channel": {"/fails", "500", "oh no"}, "/dead/own": {"/refuses", "503", "not now"},
	} {
		got := s.getsEvent(t, sink, "1")
		for name, value := range map[string]string{
			"ce-type": "order", "ce-knativeerrordest": s.URL + want.dest, "ce-knativeerrorcode": want.code,
			"ce-knativeerrordata": base64.StdEncoding.EncodeToString([]byte(want.data)),
		} {
			if got.header.Get(name) != value {
				t.Errorf("%s got %s %q, want %q", sink, name, got.header.Get(name), value)
			}
		}
	}
	s.gets(t, "/recovers", 3)
	l.drainedOf(t, "subscriptions")
	for path, want := range map[string]int{
		"/fails": 3, "/replies": 1, "/refuses": 3, "/twice": 2, "/recovers": 3, "/dead/channel": 1, "/dead/own": 1,
	} {
		if n := len(s.at(path)); n != want {
			t.Errorf("%d requests to %s, want %d", n, path, want)
		}
	}
}

// A reply that has to wait longer is kept on the disk with its event: the program may end meanwhile, and the subscriber is not asked
// again.
func TestChannelKeepsAReplyThatWaits(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/replies": repliesWith("reply", "pong"), "/busy": atFirst(2, says(503, ""), says(202, ""))})
	orders := channelOf("orders", "{delivery: {retry: 3, backoffPolicy: linear, backoffDelay: PT12S}}")
	l := startChannels(t, "orders", []resource{orders,
		subscriptionOf(orders, "replies", subscriberAt(s.URL+"/replies")+fmt.Sprintf(", reply: {uri: %q}", s.URL+"/busy"))})
	l.accepts(t, "/channels/default/orders", event("order", "1"), nil)
	s.gets(t, "/busy", 2) // the first retry comes at once
	eventually(t, 10*time.Second, "the event is parked and acknowledged", func() error { return l.parked(t, "channel_default_orders") })
	if code := l.terminate(35 * time.Second); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	l.start()
	accepted := s.gets(t, "/busy", 3)[2]
	if accepted.header.Get("ce-type") != "reply" || string(accepted.body) != "pong" {
		t.Errorf("the reply came as %v %q", accepted.header, accepted.body)
	}
	l.drainedOf(t, "subscriptions")
	if n := len(s.at("/replies")); n != 1 {
		t.Errorf("the subscriber was asked %d times", n)
	}
}
