package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestAFilterThatComesBackLosesNothing keeps one of two filters from the news that a Trigger has changed. The Trigger is ready by the other
// one; what is accepted from then on has to reach the subscriber that the Trigger has now, also what the first filter asked for before.
func TestAFilterThatComesBackLosesNothing(t *testing.T) {
	t.Parallel()
	before := edited{name: "changed", eventType: "a", generation: 1}
	otherType := edited{name: "changed", eventType: "b", generation: 1}
	otherSubscriber := edited{name: "changed", eventType: "a", generation: 2}
	anew := edited{name: "changed", eventType: "b", generation: 2}
	for _, c := range []struct {
		name    string
		after   edited
		removes bool
		// away keeps the first filter away, and returns what brings it back.
		away func(*partitioned) (back func())
	}{
		{"another filter, connections that are cut", otherType, false, linkOfFirst(cut)},
		{"another filter, connections that stall", otherType, false, linkOfFirst(stalled)},
		{"another subscriber", otherSubscriber, false, linkOfFirst(cut)},
		{"removed and made again", anew, true, linkOfFirst(cut)},
		{"a process that is stopped for 30 s", otherType, false, stopFirst},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := startPartitioned(t)
			p.becomes(t, before)
			p.sends(t, before.eventType, "first", 2)
			eventually(t, 20*time.Second, "the Trigger is served", func() error { return p.missing(before, "first", 2) })

			back := c.away(p)
			if c.removes {
				p.removes(t, before)
			}
			p.becomes(t, c.after)
			const events = 600
			answer := p.got.hold()
			defer answer()
			// These are more than one filter may have on their way: the other asks for some when it comes back.
			p.sends(t, c.after.eventType, "later", events)
			back()
			eventually(t, 60*time.Second, "both filters report", p.bothReport)
			answer()
			eventually(t, 60*time.Second, "all events are delivered", func() error { return p.missing(c.after, "later", events) })
			t.Logf("%d repeated", p.got.repeated())
		})
	}
}

func linkOfFirst(s linkState) func(*partitioned) func() {
	return func(p *partitioned) func() {
		p.links[0].set(s)
		return func() { p.links[0].set(passing) }
	}
}

func stopFirst(p *partitioned) func() {
	signal := func(s syscall.Signal) {
		if err := p.filters[0].cmd.Process.Signal(s); err != nil {
			p.t.Error(err)
		}
	}
	signal(syscall.SIGSTOP)
	over := time.NewTimer(30 * time.Second)
	return func() {
		<-over.C
		signal(syscall.SIGCONT)
	}
}

func (p *partitioned) bothReport() error {
	reports, err := buckets.Reports(p.t.Context(), p.client)
	filters := 0
	for _, r := range reports.Live {
		if r.Role == route.RoleFilter {
			filters++
		}
	}
	if filters < 2 {
		return fmt.Errorf("%d filters report, %w", filters, err)
	}
	return nil
}

// becomes puts the Trigger and waits until it is ready: until the report of a process that is away has run out, too.
func (p *partitioned) becomes(t *testing.T, e edited) {
	t.Helper()
	if err := p.put(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*route.ReportTTL, "the Trigger is ready", func() error { return p.ready(t.Context(), e.name) })
}

// removes takes the Trigger away and waits until nothing is left of it.
func (p *partitioned) removes(t *testing.T, e edited) {
	t.Helper()
	if err := p.remove(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	eventually(t, route.ReportTTL, "the Trigger is swept", func() error {
		records, err := routes.Records(t.Context(), p.client, naming.TargetKey(p.target(e).Key))
		if err != nil || len(records) != 1 || !records[0].Swept {
			return fmt.Errorf("%d records, %w", len(records), err)
		}
		return nil
	})
}

func (p *partitioned) sends(t *testing.T, eventType, prefix string, count int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), built.kn, "send", p.url, "--type", eventType, "--id", prefix, //nolint:gosec // the program under test
		"--count", fmt.Sprint(count), "--data", "{}").CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprint("accepted ", count)) {
		t.Errorf("%v: %s", err, out)
	}
}

// missing tells how many of the events have not come to the subscriber that the Trigger has.
func (p *partitioned) missing(e edited, prefix string, count int) error {
	missing := 0
	for i := range count {
		if !p.got.has(e.name, prefix+fmt.Sprintf("-%d", i+1), e.generation) {
			missing++
		}
	}
	if missing > 0 {
		return fmt.Errorf("%d of %d events are lost", missing, count)
	}
	return nil
}
