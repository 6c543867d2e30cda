package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// deliveryCase is one Trigger with one event of its own.
type deliveryCase struct {
	name string
	// delivery is the Trigger's spec.delivery; %s in it is the URL of the case's dead letter sink. Empty: the Broker's holds.
	delivery   string
	subscriber answers
	// uri is the subscriber's when it is not one of ours.
	uri  string
	sink answers
	// requests is how many the subscriber gets, sinkRequests how many the dead letter sink gets.
	requests, sinkRequests int
	// code and data are what the dead letter says, data being a part of it.
	code, data string
	// brokerSink is set when the dead letter goes to the Broker's sink.
	brokerSink bool
	// pause is the time between the first two requests, or from the only one to the dead letter: at least this and at most 3 s more.
	pause time.Duration
}

const html = "<html>\n<body class=\"e\">\r\n\tno, ünless …\n</body>\n</html>\n"

func deliveryCases() []deliveryCase {
	const withSink = `, deadLetterSink: {uri: "%s"}}`
	return []deliveryCase{
		{name: "delivered at once", delivery: `{retry: 5` + withSink, requests: 1},
		{name: "204 is delivered", delivery: `{retry: 5` + withSink, subscriber: says(204, ""), requests: 1},
		{name: "202 with any body is delivered", delivery: `{retry: 5` + withSink, subscriber: says(202, "thanks"), requests: 1},
		{name: "retry without a back-off policy", delivery: `{retry: 3` + withSink, subscriber: atFirst(3, says(503, ""), says(200, "")), requests: 4},
		{name: "retry of 404", delivery: `{retry: 1` + withSink, subscriber: atFirst(1, says(404, ""), says(200, "")), requests: 2},
		{name: "retries used up", delivery: `{retry: 2, backoffPolicy: exponential, backoffDelay: PT0.1S` + withSink,
			subscriber: says(503, "later"), requests: 3, sinkRequests: 1, code: "503", data: "later"},
		{name: "400 is not retried", delivery: `{retry: 5, backoffPolicy: linear, backoffDelay: PT0.1S` + withSink,
			subscriber: says(400, "bad"), requests: 1, sinkRequests: 1, code: "400", data: "bad"},
		{name: "a redirect is not followed", delivery: `{retry: 5` + withSink,
			subscriber: says(301, "", "location", "http://127.0.0.1:1/"), requests: 1, sinkRequests: 1, code: "301"},
		{name: "a body of HTML with line breaks", delivery: `{retry: 1` + withSink,
			subscriber: says(500, html, "content-type", "text/html"), requests: 2, sinkRequests: 1, code: "500", data: html},
		{name: "a huge body", delivery: `{retry: 0` + withSink,
			subscriber: says(500, big(1<<20)), requests: 1, sinkRequests: 1, code: "500", data: big(768)},
		{name: "connection refused", delivery: `{retry: 1` + withSink, uri: "http://127.0.0.1:1/x",
			sinkRequests: 1, code: "500", data: "refused"},
		{name: "connection broken off", delivery: `{retry: 2` + withSink, subscriber: breaks,
			requests: 3, sinkRequests: 1, code: "500", data: "closed before a response"},
		{name: "an answer that is no HTTP", delivery: `{retry: 0` + withSink, subscriber: garbles,
			requests: 1, sinkRequests: 1, code: "500", data: "malformed"},
		{name: "unresolvable host", delivery: `{retry: 1` + withSink, uri: "http://no..such.host/x", sinkRequests: 1, code: "500", data: "no such host"},
		{name: "a sink that refuses at first", delivery: `{retry: 0` + withSink, subscriber: says(500, "x"),
			sink: atFirst(1, says(400, ""), says(200, "")), requests: 1, sinkRequests: 2, code: "500", data: "x"},
		{name: "timeout", delivery: `{retry: 0, timeout: PT1S` + withSink, subscriber: hangs,
			requests: 1, sinkRequests: 1, code: "500", data: "deadline", pause: time.Second},
		{name: "timeout, then delivered", delivery: `{retry: 1, timeout: PT1S` + withSink, subscriber: atFirst(1, hangs, says(200, "")),
			requests: 2, pause: time.Second},
		{name: "Retry-After", delivery: `{retry: 1, retryAfterMax: PT10S` + withSink,
			subscriber: atFirst(1, says(429, "", "retry-after", "1"), says(200, "")), requests: 2, pause: time.Second},
		{name: "Retry-After above its limit", delivery: `{retry: 1, retryAfterMax: PT1S` + withSink,
			subscriber: atFirst(1, says(503, "", "retry-after", "3600"), says(200, "")), requests: 2, pause: time.Second},
		{name: "Retry-After that is not asked for", delivery: `{retry: 1` + withSink,
			subscriber: atFirst(1, says(429, "", "retry-after", "3600"), says(200, "")), requests: 2},
		{name: "the Broker's sink for a Trigger's spec without one", delivery: `{retry: 1}`, subscriber: says(503, "no"),
			requests: 2, sinkRequests: 1, code: "503", data: "no", brokerSink: true},
		{name: "the Broker's spec for a Trigger without one", subscriber: says(503, "no"),
			requests: 3, sinkRequests: 1, code: "503", data: "no", brokerSink: true},
	}
}

// TestDelivery posts one event for each case, all at once, and then looks at what became of each.
func TestDelivery(t *testing.T) {
	cases := deliveryCases()
	by := map[string]answers{}
	for i, c := range cases {
		by[fmt.Sprint("/live/", i)], by[fmt.Sprint("/dead/", i)] = c.subscriber, c.sink
	}
	s := subscribe(t, by)
	b := brokerOf("default", fmt.Sprintf(`{delivery: {retry: 2, deadLetterSink: {uri: "%s/dead/broker"}}}`, s.URL))
	resources := []resource{b}
	for i, c := range cases {
		more := []string{fmt.Sprintf("filter: {attributes: {type: case-%d}}", i)}
		if c.delivery != "" {
			more = append(more, "delivery: "+strings.ReplaceAll(c.delivery, "%s", fmt.Sprintf("%s/dead/%d", s.URL, i)))
		}
		resources = append(resources, triggerOf(b, fmt.Sprint("case-", i), c.at(s, i), more...))
	}
	l := startLaptop(t, manifest(resources...))
	for i := range cases {
		l.accepts(t, "/default/default", event(fmt.Sprint("case-", i), fmt.Sprint("event-", i), "ce-extra", "kept"), []byte(`{"n" : 1}`))
	}
	l.drained(t)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(t, s, i) })
	}
}

func (c deliveryCase) at(s *subscriber, i int) string {
	if c.uri != "" {
		return c.uri
	}
	return fmt.Sprintf("%s/live/%d", s.URL, i)
}

func (c deliveryCase) check(t *testing.T, s *subscriber, i int) {
	id := fmt.Sprint("event-", i)
	live, dead := s.of(fmt.Sprint("/live/", i), id), s.of(fmt.Sprint("/dead/", i), id)
	if c.brokerSink {
		dead = s.of("/dead/broker", id)
	}
	if len(live) != c.requests || len(dead) != c.sinkRequests {
		t.Fatalf("the subscriber got %d requests, want %d; the sink got %d, want %d", len(live), c.requests, len(dead), c.sinkRequests)
	}
	all := append(live, dead...)
	for _, v := range all {
		wantHeaders(t, v, headers("ce-type", fmt.Sprint("case-", i), "ce-extra", "kept",
			"prefer", "reply", "kn-namespace", "default", "content-type", "application/json"))
		if string(v.body) != `{"n" : 1}` {
			t.Errorf("body %q", v.body)
		}
	}
	for _, v := range live {
		wantHeaders(t, v, headers("ce-knativebrokerttl", ""))
	}
	if c.sinkRequests > 0 {
		c.checkDeadLetter(t, dead[len(dead)-1], c.at(s, i))
	}
	if len(all) < 2 {
		return
	}
	// Both ends are seen late, on a busy machine by much.
	if pause := all[1].at.Sub(all[0].at); pause < c.pause-500*time.Millisecond || pause > c.pause+10*time.Second {
		t.Errorf("%s between the requests, want %s", pause, c.pause)
	}
}

func (c deliveryCase) checkDeadLetter(t *testing.T, v visit, destination string) {
	t.Helper()
	// The hop count stays: the sink may be a Broker again.
	wantHeaders(t, v, headers("ce-knativeerrordest", destination, "ce-knativeerrorcode", c.code, "ce-knativebrokerttl", "255"))
	data, err := base64.StdEncoding.DecodeString(v.header.Get("ce-knativeerrordata"))
	if err != nil || !strings.Contains(string(data), c.data) || len(data) > 768 {
		t.Errorf("knativeerrordata is %q, want %q: %v", data, c.data, err)
	}
}

// TestDeadLettersWithoutSink looks for an event that nobody takes where the operator looks.
func TestDeadLettersWithoutSink(t *testing.T) {
	t.Parallel()
	s := subscribe(t, map[string]answers{"/refuses": says(http.StatusBadRequest, "no\nnever")})
	full, quiet := brokerOf("default", ""), brokerOf("quiet", "")
	l := startLaptop(t, manifest(full, quiet, triggerOf(full, "refuses", s.URL+"/refuses"), triggerOf(quiet, "takes", s.URL+"/takes")))
	for _, b := range []resource{full, quiet} {
		l.accepts(t, "/default/"+b.name, event("t", "1"), nil)
	}
	l.drained(t)
	out := run(t, built.kn, "get", "brokers", "--store", l.store)
	if !strings.Contains(out, " DEAD ") {
		t.Errorf("no column for dead letters:\n%s", out)
	}
	want := map[string]int{"default": 1, "quiet": 0}
	for _, row := range get[brokerRow](t, l, "brokers") {
		if row.DeadLetters != want[row.Key.Name] {
			t.Errorf("Broker %s has %d dead letters, want %d\n%s", row.Key.Name, row.DeadLetters, want[row.Key.Name], out)
		}
	}
	if n := len(s.gets(t, "/refuses", 1)); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}
