package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestNamesStayApart serves Brokers whose names could be taken for each other. All their events have the same source and id.
func TestNamesStayApart(t *testing.T) {
	long := strings.Repeat("n", 63)
	brokers := []struct{ namespace, name string }{
		{"default", "default"}, {"a--b", "c"}, {"a", "b--c"}, {"a", "b-c"}, {"default", "x.y"}, {"default", "x-y"}, {"default", "x--y"},
		{long, long}, {long, long[:62] + "m"}, {long[:62] + "m", long}, {"a", strings.Repeat("d.", 126) + "d"},
	}
	// Triggers of one namespace have names of their own, so those of each Broker hold a letter.
	triggers := func(i int) []string {
		letter := string(rune('a' + i))
		return []string{letter, letter + "." + letter, letter + "--" + letter, long[1:] + letter, strings.Repeat("t", 252) + letter}
	}
	s := subscribe(t, nil)
	var resources []resource
	for i, named := range brokers {
		b := brokerOf(named.name, "", "dedup-window", "PT5M")
		b.namespace = named.namespace
		resources = append(resources, b)
		for _, name := range triggers(i) {
			resources = append(resources, triggerOf(b, name, fmt.Sprintf("%s/%d/%s", s.URL, i, name)))
		}
	}
	l := startLaptop(t, manifest(resources...))
	for i, named := range brokers {
		l.accepts(t, "/"+named.namespace+"/"+named.name, event("t", "1", "ce-to", fmt.Sprint(i)), nil)
	}
	l.drained(t)
	for i, named := range brokers {
		for _, name := range triggers(i) {
			got := s.at(fmt.Sprintf("/%d/%s", i, name))
			if len(got) != 1 {
				t.Errorf("Trigger %s of %s/%s got %d events, want 1", name, named.namespace, named.name, len(got))
				continue
			}
			wantHeaders(t, got[0], headers("ce-to", fmt.Sprint(i), "kn-namespace", named.namespace))
		}
	}
}

// TestDeduplication posts events with equal ids, with and without a de-duplication window.
func TestDeduplication(t *testing.T) {
	s := subscribe(t, nil)
	off, on := brokerOf("default", ""), brokerOf("window", "", "dedup-window", "PT5M")
	l := startLaptop(t, manifest(off, on, triggerOf(off, "all", s.URL+"/default"), triggerOf(on, "window", s.URL+"/window")))
	for _, b := range []resource{off, on} {
		for _, source := range []string{"/one", "/one", "/two", "/on", "/one"} {
			l.accepts(t, "/default/"+b.name, event("t", "1", "ce-source", source), []byte(source))
		}
		l.accepts(t, "/default/"+b.name, event("t", "e1", "ce-source", "/on"), nil) // source and id together read like another's
		batch := call{url: l.url("/default/" + b.name), header: headers("content-type", "application/cloudevents-batch+json"),
			body: strings.NewReader(`[{"specversion":"1.0","type":"t","source":"/one","id":"1"},{"specversion":"1.0","type":"t","source":"/batch","id":"1"},
				{"specversion":"1.0","type":"t","source":"/batch","id":"1"}]`)}
		if got := batch.do(t); got.status != http.StatusAccepted {
			t.Fatalf("status %d: %s", got.status, got.body)
		}
	}
	l.drained(t)
	for name, want := range map[string]map[string]int{
		"default": {"/one 1": 4, "/two 1": 1, "/on 1": 1, "/on e1": 1, "/batch 1": 2},
		"window":  {"/one 1": 1, "/two 1": 1, "/on 1": 1, "/on e1": 1, "/batch 1": 1},
	} {
		got := map[string]int{}
		for _, v := range s.at("/" + name) {
			got[v.header.Get("ce-source")+" "+v.id()]++
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Broker %s delivered %v, want %v", name, got, want)
		}
	}
}
