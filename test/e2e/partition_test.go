package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

const (
	partitionTriggers = 8
	partitionTypes    = 4
	partitionRate     = 500 // events a second
	// afterwards is how long events and edits go on when the last disturbance is over.
	afterwards = 3 * time.Second
	// A run that owes fewer deliveries says nothing: it goes on for some rounds. On a slow machine a Trigger is rarely ready.
	leastOwed       = 200
	partitionRounds = 3
)

// TestPartitionsLoseNothing stalls and cuts the links of filters and ingress at random, while Triggers are edited, removed and made again,
// and accounts for every event: one whose request was begun when a Trigger was ready that takes it, and that was accepted before the
// next edit or removal of that Trigger began, has to reach the subscriber that the Trigger had, or a later one.
//
// An event that is stored is judged by the filter that the Trigger has when it is delivered. So what a Trigger is owed arrives before its
// filter is changed or it is removed; its subscriber is changed at any time.
//
// CHAOS_SEED repeats the decisions of a run, CHAOS_DURATION makes it longer; make chaos sets them.
func TestPartitionsLoseNothing(t *testing.T) {
	t.Parallel()
	seed, duration := chaosSettings(t)
	t.Logf("CHAOS_SEED=%d CHAOS_DURATION=%s", seed, duration)
	p := startPartitioned(t)
	// While one filter is away the other cannot keep up: there is something to read for the one that comes back.
	p.maxInFlight = 20
	p.got.takes(200 * time.Millisecond)
	l := &ledger{got: p.got}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var editing, made sync.WaitGroup
	made.Add(partitionTriggers)
	status := &statuses{client: p.client}
	editing.Go(func() { status.follow(ctx) })
	for n := range partitionTriggers {
		e := &editor{
			p: p, ledger: l, statuses: status, made: sync.OnceFunc(made.Done), say: p.saying(fmt.Sprint("trigger ", n)),
			random: rand.New(rand.NewPCG(seed, uint64(100+n))), //nolint:gosec // to be repeated
		}
		editing.Go(func() { e.run(ctx, n) })
	}
	editing.Go(func() {
		defer cancel()
		made.Wait() // both filters know all Triggers: what they know is to become old
		for round := range uint64(partitionRounds) {
			p.disturb(ctx, seed+round, duration)
			wait(ctx, afterwards)
			if owed, _ := l.settled(); owed >= leastOwed {
				break
			}
		}
	})
	sent := l.send(ctx, p.url)
	editing.Wait()

	t.Logf("sent %d, accepted %d; %d times a Trigger was ready", sent, len(l.events), len(l.windows))
	eventually(t, 90*time.Second, "all that was accepted for a Trigger that was ready is delivered", func() error {
		_, err := l.settled()
		return err
	})
	owed, _ := l.settled()
	t.Logf("owed %d, lost 0, repeated %d", owed, p.got.repeated())
	if owed < leastOwed {
		t.Errorf("only %d deliveries were owed: the test says nothing", owed)
	}
}

func chaosSettings(t *testing.T) (seed uint64, duration time.Duration) {
	t.Helper()
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("CHAOS_SEED"), strconv.FormatUint(rand.Uint64N(1e9), 10)), 10, 64) //nolint:gosec // it is printed
	duration, durationErr := time.ParseDuration(cmp.Or(os.Getenv("CHAOS_DURATION"), "30s"))
	if err := errors.Join(err, durationErr); err != nil {
		t.Fatal(err)
	}
	return seed, duration
}

// editor edits one Trigger.
type editor struct {
	p        *partitioned
	ledger   *ledger
	statuses *statuses
	// made is called when the Trigger is ready, or will not be.
	made   func()
	random *rand.Rand
	say    func(format string, args ...any)
}

func (e *editor) run(ctx context.Context, n int) {
	defer e.made()
	trigger := edited{name: fmt.Sprint("t", n), eventType: eventTypeOf(n), generation: 1}
	for ctx.Err() == nil {
		if err := e.p.put(ctx, trigger); err != nil {
			if ctx.Err() == nil {
				e.p.t.Errorf("put %s: %v", trigger.name, err)
			}
			return
		}
		e.say("put for %s with subscriber %d", trigger.eventType, trigger.generation)
		if !e.statuses.untilReady(ctx, trigger.name) {
			return
		}
		e.say("ready")
		w := e.ledger.open(trigger)
		e.made()
		if !wait(ctx, time.Duration((0.5+2.5*e.random.Float64())*float64(time.Second))) {
			return
		}
		change := e.random.IntN(3)
		e.ledger.close(w)
		if change == 0 {
			trigger.generation++ // at once: what is owed comes to the one subscriber or the other
			continue
		}
		for e.ledger.owes(trigger.name) { // of what it was owed with its former subscribers, too: that may come again only after ackWait
			if !wait(ctx, 100*time.Millisecond) {
				return
			}
		}
		e.say("what it is owed has come")
		trigger.eventType = e.otherType(trigger.eventType)
		if change == 1 {
			continue
		}
		if err := e.p.remove(ctx, trigger); err != nil && ctx.Err() == nil {
			e.p.t.Errorf("remove %s: %v", trigger.name, err)
		}
		trigger.generation++
		wait(ctx, time.Duration(e.random.Float64()*float64(3*partitionGrace)))
	}
}

func (e *editor) otherType(than string) string {
	for {
		if t := eventTypeOf(e.random.IntN(partitionTypes)); t != than {
			return t
		}
	}
}

func eventTypeOf(n int) string { return fmt.Sprint("type-", n%partitionTypes) }
