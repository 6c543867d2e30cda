package simulate

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// drains is how long after the last fault everything has reached its target.
	drains = 20 * time.Minute
	// forgets is how long after that the broker may still keep some of it.
	forgets = 15 * time.Minute
)

func oneSeed(t *testing.T, seed uint64, store string) {
	w := newWorld(t, seed, store)
	t.Logf("seed %d: %s", seed, w.plan)
	w.startNATS(store)
	client, lines := w.connect(observerName)
	w.observer = lines
	w.must(buckets.Ensure(t.Context(), client))
	for _, s := range w.targets {
		defer w.serve(s)()
	}
	w.start()
	stopObserving := w.observing(client)
	if !until(2*time.Minute, func() bool { return len(w.unready()) == 0 }) {
		t.Fatal("broken: not every target is ready after two minutes without a fault")
	}
	w.happen()

	until(drains, func() bool { return len(w.unready()) == 0 && w.judge().settled() })
	left := ""
	if !w.plan.deletions && !until(forgets, func() bool { left = w.left(client); return left == "" }) {
		t.Errorf("broken: %s after all is settled, and %s more\n%s", left, forgets, w.story())
	}
	pass(time.Minute) // what comes too much, comes now
	stopObserving()
	w.readDeadLetters(client)
	for _, p := range w.processes {
		p.stop()
	}
	client.Close()
	w.nats.Shutdown()
	w.nats.WaitForShutdown()
	pass(time.Second) // links end when they have brought what is under way
	c := w.judge()
	w.tell(c.check())
	t.Log(c.tally().line())
}

func newWorld(t *testing.T, seed uint64, store string) *world {
	names, err := naming.New("kn")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // it has to be repeatable
	w := &world{
		t: t, seed: seed, rng: rng, random: rand.New(rand.NewPCG(seed, 2)), //nolint:gosec // it has to be repeatable
		planted: os.Getenv("SIMULATE_PLANTED"), names: names, history: newHistory(), stores: []string{store}, hosts: map[string]*listener{}, read: map[route.Key]uint64{},
		plan: newPlan(rng),
	}
	w.targets = w.plan.newTargets(rng)
	return w
}

// start has the broker come up with most of its targets.
func (w *world) start() {
	for i := range w.plan.owners {
		w.processes = append(w.processes, w.startOwner(fmt.Sprintf("owner-%d", i)))
	}
	w.processes = append(w.processes, w.startIngress(ingressName))
	for i := range w.plan.filters {
		w.processes = append(w.processes, w.startFilter(fmt.Sprintf("filter-%d", i)))
	}
	for i, t := range w.targets {
		if i == 0 || !w.plan.edits || w.rng.IntN(4) > 0 {
			w.edit(t, live(anyFilter(w.rng, t.key.Address)))
		}
	}
}

// observing looks every second at what is ready, until the function is called that it returns.
func (w *world) observing(client *jetstream.Client) (stop func()) {
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			w.observe(client)
			w.readDeadLetters(client)
			select {
			case <-time.After(time.Second):
			case <-stopped:
				return
			}
		}
	}()
	return func() { close(stopped); <-done }
}

// happen lets events and what disturbs them go on at once, and returns when the last fault is over.
func (w *world) happen() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.traffic()
	}()
	for {
		select {
		case <-done:
			w.mending.Wait()
			return
		case <-time.After(time.Duration(w.rng.IntN(2500)) * time.Millisecond):
			w.step()
		}
	}
}

// tell reports what was found.
func (w *world) tell(v verdict) {
	for _, b := range v.broken[:min(3, len(v.broken))] {
		w.t.Error(b)
	}
	requests, versions := 0, 0
	for _, r := range w.history.events {
		requests += len(r.requests)
	}
	for _, t := range w.targets {
		versions += len(t.versions)
	}
	w.t.Logf("seed %d: %s of virtual time, %d targets with %d versions, %d events, %d requests, %d faults, %d broken promises, excused duplicates %v",
		w.seed, time.Since(w.history.began).Round(time.Second), len(w.targets), versions, len(w.history.events), requests, len(w.history.faults),
		len(v.broken), v.duplicates)
}

// judge returns a checker of what has been made of the targets until now.
func (w *world) judge() *checker {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := &checker{history: w.history, grace: w.plan.grace, scarce: w.plan.logBytes <= scarce}
	for _, t := range w.targets {
		if len(t.versions) > 0 {
			c.targets = append(c.targets, &target{name: t.name, key: t.key, retry: t.retry, delay: t.delay, versions: slices.Clone(t.versions)})
		}
	}
	return c
}

// story is what happened to the targets and to the broker.
func (w *world) story() string {
	var text strings.Builder
	c := w.judge()
	for _, t := range c.targets {
		text.WriteString(t.name + "\n" + c.story(t))
	}
	return text.String() + c.faults()
}
