package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEditsLoseAndRepeatNothing edits a Trigger again and again while events come in: each is delivered once.
func TestEditsLoseAndRepeatNothing(t *testing.T) {
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	edits := []string{
		`filters: []`, `filters: [{prefix: {type: com.}}]`, `delivery: {retry: 3, timeout: PT5S}`, `filters: [{cesql: "type = 'com.example'"}]`,
		`filter: {attributes: {type: com.example}}`, `delivery: {format: binary}`,
	}
	version := func(i int) string {
		return manifest(b, triggerOf(b, "edited", fmt.Sprintf("%s/%d", s.URL, i%2), edits[i%len(edits)]))
	}
	l := startLaptop(t, version(0))
	const events = 2000
	sent := make(chan string)
	go func() {
		sent <- run(t, built.kn, "send", l.url("/default/default"), "--type", "com.example", "--id", "edit-", "--count", fmt.Sprint(events), "--rate", "800")
	}()
	for i := 1; ; i++ {
		select {
		case out := <-sent:
			if i < 5 || !strings.Contains(out, fmt.Sprint("accepted ", events)) {
				t.Fatalf("%d edits: %s", i, out)
			}
			t.Logf("%d edits while %d events came in", i, events)
		default:
			l.save(t, version(i))
			l.says(t, "trigger default/edited of broker default/default  is ready", i+1)
			continue
		}
		break
	}
	l.drained(t)
	delivered := map[string]int{}
	for _, v := range slices.Concat(s.at("/0"), s.at("/1")) {
		delivered[v.id()]++
	}
	for id, n := range delivered {
		if n != 1 {
			t.Errorf("%s is delivered %d times", id, n)
		}
	}
	if len(delivered) != events {
		t.Errorf("%d of %d events are delivered", len(delivered), events)
	}
}

// TestEditedFilterIsPrompt widens and narrows a Trigger's filter: what matches from then on comes at once, the rest does not.
func TestEditedFilterIsPrompt(t *testing.T) {
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "edited", s.URL+"/t", "filter: {attributes: {type: none}}")))
	for i, c := range []struct{ filter, matches, other string }{
		{"filters: []", "com.any", ""},
		{"filter: {attributes: {type: com.one}}", "com.one", "com.two"},
		{`filters: [{cesql: "type LIKE 'com.%'"}]`, "com.two", "one"},
		{"filters: [{prefix: {type: org.}}]", "org.three", "com.two"},
		{"filters: [{not: {exact: {type: org.three}}}]", "com.four", "org.three"},
	} {
		l.save(t, manifest(b, triggerOf(b, "edited", s.URL+"/t", c.filter)))
		l.says(t, "trigger default/edited of broker default/default  is ready", i+2)
		for n := range 3 {
			id := fmt.Sprintf("event-%d-%d", i, n)
			if c.other != "" {
				l.accepts(t, "/default/default", event(c.other, "other-"+id), nil)
			}
			began := time.Now()
			l.accepts(t, "/default/default", event(c.matches, id), nil)
			s.getsEvent(t, "/t", id)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s: an event came after %s", c.filter, took)
			}
		}
	}
	l.drained(t)
	for _, v := range s.at("/t") {
		if strings.HasPrefix(v.id(), "other-") {
			t.Errorf("%s was delivered: %s", v.id(), v.header.Get("ce-type"))
		}
	}
	if n := len(s.at("/t")); n != 15 {
		t.Errorf("%d requests, want 15", n)
	}
}

// TestTriggerComesBack takes a Trigger out of the files for a moment: it goes on where it was.
func TestTriggerComesBack(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	stays, goes := triggerOf(b, "stays", s.URL+"/stays"), triggerOf(b, "goes", s.URL+"/goes")
	l := startLaptop(t, manifest(b, stays, goes))
	l.accepts(t, "/default/default", event("t", "1"), nil)
	s.getsEvent(t, "/goes", "1")
	l.drained(t)

	l.save(t, manifest(b, stays))
	eventually(t, 10*time.Second, "the Trigger is gone", func() error {
		if rows := get[triggerRow](t, l, "triggers"); len(rows) != 1 {
			return fmt.Errorf("%+v", rows)
		}
		return nil
	})
	l.accepts(t, "/default/default", event("t", "2"), nil)
	s.getsEvent(t, "/stays", "2")
	l.save(t, manifest(b, stays, goes))
	s.getsEvent(t, "/goes", "2")
	l.drained(t)
	if n := len(s.at("/goes")); n != 2 {
		t.Errorf("%d requests for 2 events", n)
	}
}

// TestInterruptFinishesWhatRuns interrupts the program while a subscriber is at work: it waits for the answer, and the event is done.
func TestInterruptFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	s := subscribe(t, map[string]answers{"/slow": waits(done)})
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "slow", s.URL+"/slow")))
	l.accepts(t, "/default/default", event("t", "slow"), nil)
	s.getsEvent(t, "/slow", "slow")
	if err := l.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	l.stops(t)
	l.accepts(t, "/default/default", event("t", "late"), nil) // what is stored while the program ends is for the next one
	close(done)
	select {
	case <-l.done:
	case <-time.After(10 * time.Second):
		t.Fatal("the program does not end")
	}
	if code := l.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if n := len(s.at("/slow")); n != 1 {
		t.Errorf("%d requests, want only the one that was running", n)
	}
	l.start()
	s.getsEvent(t, "/slow", "late")
	l.drained(t)
	if n := len(s.of("/slow", "slow")); n != 1 {
		t.Errorf("the event that was being delivered came %d times", n)
	}
}

// TestPrefixesStayApart runs two installations with the same Broker on one NATS.
func TestPrefixesStayApart(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	port := freePort(t)
	start(t, "nats-server", built.natsServer, "-js", "-a", "127.0.0.1", "-p", port, "-sd", t.TempDir())
	url := "nats://127.0.0.1:" + port
	b := brokerOf("default", "")
	prefixes := []string{"kn", "kn2"}
	installations := map[string]*laptop{}
	for _, prefix := range prefixes {
		installations[prefix] = startLaptop(t, manifest(b, triggerOf(b, "all", s.URL+"/"+prefix)), "--nats", url, "--prefix", prefix)
	}
	for prefix, l := range installations {
		l.accepts(t, "/default/default", event("t", "of-"+prefix), nil)
	}
	for _, prefix := range prefixes {
		s.getsEvent(t, "/"+prefix, "of-"+prefix)
		eventually(t, 10*time.Second, "there is no backlog", func() error {
			rows := getFrom[triggerRow](t, "triggers", "--nats", url, "--prefix", prefix)
			if len(rows) != 1 || rows[0].Backlog != 0 {
				return fmt.Errorf("%+v", rows)
			}
			return nil
		})
		if n := len(s.at("/" + prefix)); n != 1 {
			t.Errorf("the installation %s delivered %d events, want 1", prefix, n)
		}
	}
}

// TestRunSurvivesKills kills the program, NATS inside, in mid-stream, and counts.
func TestRunSurvivesKills(t *testing.T) {
	t.Parallel() // what was on its way in the moment of the kill comes again 15 s later
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	l := startLaptop(t, manifest(b, triggerOf(b, "all", s.URL+"/all")))
	const events = 1500
	sent := make(chan string)
	go func() {
		sent <- run(t, built.kn, "send", l.url("/default/default"), "--id", "kill-", "--count", fmt.Sprint(events), "--rate", "700", "--retry", "60")
	}()
	for i := range 2 {
		s.gets(t, "/all", (i+1)*events/4)
		l.kill()
		l.start()
		l.says(t, "embedded; with its token in", 2+i)
	}
	if out := <-sent; !strings.Contains(out, fmt.Sprint("accepted ", events)) {
		t.Fatalf("not everything is accepted: %s", out)
	}
	l.drained(t)
	delivered := map[string]bool{}
	for _, v := range s.at("/all") {
		delivered[v.id()] = true
	}
	if len(delivered) != events {
		t.Errorf("%d of %d events are delivered", len(delivered), events)
	}
	t.Logf("%d events, %d requests", events, len(s.at("/all")))
}
