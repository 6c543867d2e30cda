package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// replies answers with a binary event of the type, whose id is made of that of the event it answers.
func replies(status int, eventType string) answers {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		for name, values := range event(eventType, "reply-to-"+r.Header.Get("ce-id"), "ce-knativebrokerttl", "1000", "ce-more", "m", "nats-msg-id", "x") {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"r" : 1}`))
	}
}

// repliesStructured does so in the structured mode.
func repliesStructured(w http.ResponseWriter, r *http.Request, _ int) {
	w.Header().Set("Content-Type", "application/cloudevents+json")
	fmt.Fprintf(w, `{"specversion":"1.0","type":"reply","source":"/e2e","id":"reply-to-%s","more":"m","data":{"r" : 1}}`, r.Header.Get("ce-id"))
}

func TestReplies(t *testing.T) {
	s := subscribe(t, map[string]answers{
		"/binary":     replies(200, "reply"),
		"/structured": repliesStructured,
		"/accepted":   replies(202, "reply"),
		"/empty":      says(200, ""),
		"/malformed":  says(200, "thanks"),
		"/invalid":    says(200, "{}", "ce-specversion", "1.0", "ce-id", "x", "content-type", "application/json"),
		"/recovers":   atFirst(1, says(200, "thanks"), replies(200, "reply")),
		"/huge":       says(200, big(2<<20), "ce-specversion", "1.0", "ce-id", "x", "ce-type", "reply", "ce-source", "s", "content-type", "text/plain"),
	})
	b := brokerOf("default", fmt.Sprintf(`{delivery: {retry: 1, deadLetterSink: {uri: "%s/dead"}}}`, s.URL))
	cases := []struct {
		name            string
		requests, reply int
		code            string // of the dead letter
	}{
		{name: "binary", requests: 1, reply: 1},
		{name: "structured", requests: 1, reply: 1},
		{name: "accepted", requests: 1},
		{name: "empty", requests: 1},
		{name: "malformed", requests: 2, code: "502"},
		{name: "invalid", requests: 2, code: "502"},
		{name: "recovers", requests: 2, reply: 1},
		{name: "huge", requests: 2, code: "502"},
	}
	resources := []resource{b, triggerOf(b, "replies", s.URL+"/replies", "filter: {attributes: {type: reply}}")}
	for _, c := range cases {
		resources = append(resources, triggerOf(b, c.name, s.URL+"/"+c.name, "filter: {attributes: {type: "+c.name+"}}"))
	}
	l := startLaptop(t, manifest(resources...))
	for _, c := range cases {
		l.accepts(t, "/default/default", event(c.name, c.name), nil)
	}
	l.drained(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if n := len(s.at("/" + c.name)); n != c.requests {
				t.Errorf("%d requests, want %d", n, c.requests)
			}
			got, dead := s.of("/replies", "reply-to-"+c.name), s.of("/dead", c.name)
			if len(got) != c.reply || (len(dead) == 1) != (c.code != "") || len(dead) > 1 {
				t.Fatalf("%d replies, want %d; %d dead letters, want code %q", len(got), c.reply, len(dead), c.code)
			}
			for _, v := range got {
				wantHeaders(t, v, headers("ce-type", "reply", "ce-more", "m", "ce-knativebrokerttl", "", "nats-msg-id", "",
					"content-type", "application/json"))
				if string(v.body) != `{"r" : 1}` || v.header.Get("ce-knativearrivaltime") == "" {
					t.Errorf("the reply is %v %q", v.header, v.body)
				}
			}
			for _, v := range dead {
				wantHeaders(t, v, headers("ce-knativeerrorcode", c.code, "ce-knativeerrordest", s.URL+"/"+c.name))
			}
		})
	}
}

// TestReplyLoopsEnd has a subscriber reply to its own replies: the hop count ends that, and the last event is a dead letter.
func TestReplyLoopsEnd(t *testing.T) {
	s := subscribe(t, map[string]answers{"/loop": func(w http.ResponseWriter, r *http.Request, nth int) {
		replies(200, r.Header.Get("ce-type"))(w, r, nth)
	}})
	b := brokerOf("default", fmt.Sprintf(`{delivery: {retry: 5, deadLetterSink: {uri: "%s/dead"}}}`, s.URL))
	l := startLaptop(t, manifest(b, triggerOf(b, "loop", s.URL+"/loop")))
	for _, c := range []struct{ name, hops string }{{"three", "3"}, {"default", ""}, {"capped", "100000"}} {
		header := event(c.name, c.name)
		if c.hops != "" {
			header.Set("ce-knativebrokerttl", c.hops)
		}
		l.accepts(t, "/default/default", header, nil)
	}
	ofType := func(path, eventType string) (n int) {
		for _, v := range s.at(path) {
			if v.header.Get("ce-type") == eventType {
				n++
			}
		}
		return n
	}
	// The ingress takes one hop off what the event brought, and each reply one more.
	want := map[string]int{"three": 2, "default": 255, "capped": 255}
	for name := range want {
		eventually(t, 20*time.Second, "the loop "+name+" ends", func() error {
			if ofType("/dead", name) == 0 {
				return fmt.Errorf("%d deliveries", ofType("/loop", name))
			}
			return nil
		})
	}
	l.drained(t)
	for name, deliveries := range want {
		if n, dead := ofType("/loop", name), ofType("/dead", name); n != deliveries || dead != 1 {
			t.Errorf("%s: %d deliveries and %d dead letters, want %d and 1", name, n, dead, deliveries)
		}
	}
	for _, v := range s.at("/dead") {
		wantHeaders(t, v, headers("ce-knativeerrorcode", "400"))
	}
}
