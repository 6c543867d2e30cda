package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// terminal is an announcer whose routes the test sets, and what it has printed since the test looked last.
type terminal struct {
	announcer
	routes status.Status
	out    bytes.Buffer
	read   int
}

func newTerminal() *terminal {
	t := &terminal{}
	t.announcer = announcer{
		status:  func(context.Context) (status.Status, error) { return t.routes, nil },
		serving: func() bool { return true }, owner: "run", out: &t.out,
	}
	return t
}

// lines are the new ones, without their times.
func (t *terminal) lines() []string {
	var lines []string
	for line := range strings.Lines(t.out.String()[t.read:]) {
		lines = append(lines, strings.TrimSuffix(line[len("12:00:00  "):], "\n"))
	}
	t.read = t.out.Len()
	return lines
}

func triggerStatus(name, subscriber string, ready bool) status.TargetStatus {
	key := route.Key{Kind: route.KindBroker, Namespace: "default", Name: "b"}
	s := status.TargetStatus{Ready: ready, Target: route.Target{
		Key: route.TargetKey{Address: key, Namespace: "default", Name: name}, Owner: "run",
		Subscriber: &route.Destination{URL: subscriber},
	}}
	if !ready {
		s.Reason = "it is slow"
	}
	return s
}

func TestOnlyWhatChangedIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen := newTerminal()
		foreign := triggerStatus("foreign", "http://f", false)
		foreign.Owner = "apply"
		hopeless := triggerStatus("hopeless", "", false)
		hopeless.NotReady, hopeless.Reason = "no URL", "no URL"
		stays := triggerStatus("stays", "http://s", true)
		for _, step := range []struct {
			name    string
			targets []status.TargetStatus
			want    []string
		}{
			{"the start", []status.TargetStatus{stays, foreign, hopeless}, []string{
				"trigger default/hopeless of broker default/b  is not ready: no URL",
				"trigger default/stays of broker default/b  is ready",
			}},
			{"a comment is changed", []status.TargetStatus{stays, hopeless}, []string{"the files have changed, the routes have not"}},
			{"one comes, one goes", []status.TargetStatus{stays, triggerStatus("new", "http://n", true)}, []string{
				"trigger default/new of broker default/b  is ready  (added)",
			}},
			{"one is edited", []status.TargetStatus{triggerStatus("stays", "http://other", true), triggerStatus("new", "http://n", true)}, []string{
				"trigger default/stays of broker default/b  is ready  (changed)",
			}},
		} {
			began := time.Now()
			screen.routes.Targets = step.targets
			screen.announce(t.Context(), &manifest.Resources{}, oneUpdate())
			if got := screen.lines(); strings.Join(got, "\n") != strings.Join(step.want, "\n") {
				t.Errorf("%s: said\n%s\nwant\n%s", step.name, strings.Join(got, "\n"), strings.Join(step.want, "\n"))
			}
			if took := time.Since(began); took > 0 {
				t.Errorf("%s: it waited %s for what cannot change", step.name, took)
			}
		}
	})
}

func TestTheEndOfARouteIsSaidWithWhatItHeld(t *testing.T) {
	screen := newTerminal()
	stays, goes, unknown := triggerStatus("stays", "http://s", true), triggerStatus("goes", "http://g", true), triggerStatus("unknown", "", true)
	goes.Backlog = 7
	b := status.AddressStatus{Address: route.Address{Key: stays.Key.Address}, Events: 9, DeadLetters: 2}
	screen.announce(t.Context(), &manifest.Resources{}, oneUpdate())
	held := countUndelivered(t.Context(), func(context.Context) (status.Status, error) {
		return status.Status{Addresses: []status.AddressStatus{b}, Targets: []status.TargetStatus{stays, goes}}, nil
	})
	screen.sayEnded([]manifest.Ended{{Target: &goes.Target}, {Target: &unknown.Target}, {Address: &b.Address}}, held)
	screen.announce(t.Context(), &manifest.Resources{}, oneUpdate()) // that routes have ended is a change
	want := []string{
		"trigger default/goes of broker default/b  is removed; its undelivered events (7) are kept for 30 s",
		"trigger default/unknown of broker default/b  is removed; its events are kept for 30 s",
		"broker default/b  is removed; its log (9 events) and dead letters (2) are kept for 30 s",
	}
	if got := screen.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func oneUpdate() <-chan manifest.Update {
	updates := make(chan manifest.Update, 1)
	updates <- manifest.Update{}
	return updates
}

// What an earlier run has left is no reason to wait, and is said once, whatever happens to its backlog.
func TestWhatIsInNoFileIsSaidOnce(t *testing.T) {
	screen := newTerminal()
	left := triggerStatus("left", "http://s", false)
	left.NotReady, left.Backlog = manifest.InNoFile, 7
	b := status.AddressStatus{Address: route.Address{Key: left.Key.Address, Owner: "run", Refuse: manifest.InNoFile}, Events: 9}
	screen.routes = status.Status{Addresses: []status.AddressStatus{b}, Targets: []status.TargetStatus{left}}
	screen.announce(t.Context(), &manifest.Resources{}, oneUpdate())
	want := []string{
		"broker default/b  is in no file: its log (9 events) and dead letters (0) are kept; it takes no events; to delete it: kn-jetstream delete broker b -n default",
		"trigger default/left of broker default/b  is in no file: its undelivered events (7) are kept; to delete it: kn-jetstream delete trigger left -n default",
	}
	if got := screen.lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	screen.routes.Targets[0].Backlog++
	screen.announce(t.Context(), &manifest.Resources{}, oneUpdate())
	if got := strings.Join(screen.lines(), "\n"); got != "the files have changed, the routes have not" {
		t.Errorf("said again: %s", got)
	}
}

func TestWhatIsReadyLateIsAnnouncedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen, began := newTerminal(), time.Now()
		screen.status = func(context.Context) (status.Status, error) {
			slow := triggerStatus("slow", "http://s", time.Since(began) > time.Minute)
			return status.Status{Targets: []status.TargetStatus{slow}}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		screen.announce(ctx, &manifest.Resources{}, nil)
		times := strings.Fields(screen.out.String())
		got, want := screen.lines(), []string{
			"trigger default/slow of broker default/b  is not ready: it is slow",
			"trigger default/slow of broker default/b  is ready",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Fatalf("said %q, want %q", got, want)
		}
		if limit := began.Add(readyBudget + time.Second).Format(time.TimeOnly); times[0] > limit {
			t.Errorf("that it is not ready was said at %s, want until %s", times[0], limit)
		}
	})
}

func TestNotesAreSaidOnce(t *testing.T) {
	screen := newTerminal()
	screen.sayNotes([]string{"first note", "other note"})
	screen.sayNotes([]string{"first note"})
	screen.sayNotes([]string{"first note", "other note"})
	if got := screen.out.String(); got != "first note\nother note\nother note\n" {
		t.Errorf("said %q", got)
	}
}

func TestAnUpdateCutsTheWaitShort(t *testing.T) {
	screen := newTerminal()
	screen.routes.Targets = []status.TargetStatus{triggerStatus("slow", "http://s", false)}
	updates := make(chan manifest.Update, 1)
	updates <- manifest.Update{Err: context.Canceled}
	if u, ok := screen.announce(t.Context(), &manifest.Resources{}, updates); !ok || u.Err == nil || screen.out.Len() > 0 {
		t.Errorf("update %+v, %v; said %q", u, ok, screen.out.String())
	}
}
