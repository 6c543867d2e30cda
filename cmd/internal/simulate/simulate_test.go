// Package simulate runs a whole broker, with the real NATS server, in virtual time, and checks the history of every event.
// A seed makes the same choices again; the scheduler of goroutines is not seeded.
package simulate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
)

// TestSimulate starts one process for each seed: timers that nats.go keeps for the process must not get from one bubble into another.
func TestSimulate(t *testing.T) {
	seeds, first := 3, 1
	if s, err := strconv.Atoi(os.Getenv("SIMULATE_SEEDS")); err == nil {
		seeds = s
	}
	if s, err := strconv.Atoi(os.Getenv("SIMULATE_SEED")); err == nil {
		seeds, first = 1, s
	}
	for seed := first; seed < first+seeds; seed++ {
		out, err := simulate(t, seed, "")
		t.Log(out)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// TestPlantedDefects shows that the checker finds what is wrong, within a few seeds.
func TestPlantedDefects(t *testing.T) {
	for _, planted := range []string{"acknowledged before delivery", "filter ignored", "log purged"} {
		found := false
		for seed := 1; seed <= 5 && !found; seed++ {
			out, err := simulate(t, seed, planted)
			found = err != nil && (strings.Contains(out, "neither delivered") || strings.Contains(out, "does not match"))
			if found {
				t.Logf("%s: found by seed %d", planted, seed)
			}
		}
		if !found {
			t.Errorf("%s: not found within 5 seeds", planted)
		}
	}
}

func simulate(t *testing.T, seed int, planted string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestOneSeed$", "-test.v") //nolint:gosec // it is this program
	run.Env = append(os.Environ(), "SIMULATE_ONE="+strconv.Itoa(seed), "SIMULATE_PLANTED="+planted)
	out, err := run.CombinedOutput()
	return string(out), err
}

func TestOneSeed(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("SIMULATE_ONE"), 10, 64)
	if err != nil {
		return // TestSimulate runs it
	}
	ats.Register() // its ticker would keep virtual time from advancing
	store, began := t.TempDir(), time.Now()
	synctest.Test(t, func(t *testing.T) {
		oneSeed(t, seed, store)
	})
	t.Logf("took %s", time.Since(began).Round(time.Millisecond))
}

func oneSeed(t *testing.T, seed uint64, store string) {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), random: rand.New(rand.NewPCG(seed, 2)), //nolint:gosec // it has to be repeatable
		planted: os.Getenv("SIMULATE_PLANTED"), history: newHistory(), stores: []string{store}, hosts: map[string]*listener{},
	}
	w.startNATS(store)
	owner, ownerWires := w.connect("owner")
	w.must(owner.EnsureBuckets(t.Context()))
	var subscribers []subscriber
	for i := range 1 + w.rng.IntN(4) {
		s := subscriber{name: fmt.Sprintf("target-%d", i), retry: w.rng.IntN(5), fails: w.rng.Float64() / 2}
		s.kind, s.lost = []string{"", "made", "paid"}[i%3], float64(w.rng.IntN(2))*w.rng.Float64()/4
		if i == 1 {
			s.kind = "made"
		}
		subscribers = append(subscribers, s)
		defer w.serve(s, false)()
		defer w.serve(s, true)()
	}
	if len(subscribers) == 1 {
		subscribers[0].kind = "made"
	}
	routes := owner.NewOwner("simulator", time.Hour)
	sweeping := run(process{name: "owner", wires: ownerWires, client: owner}, func(ctx context.Context) { routes.RunSweeps(ctx, 10*time.Second) }, func(context.Context) {})
	all := []*process{sweeping, w.startIngress("ingress")}
	for i := range 1 + w.rng.IntN(3) {
		all = append(all, w.startFilter(fmt.Sprintf("filter-%d", i)))
	}
	w.route(routes, subscribers)
	if !until(2*time.Minute, func() bool { return w.ready(owner, len(subscribers)) }) {
		t.Fatal("not every target is ready after two minutes without a fault")
	}

	w.traffic(all)
	until(20*time.Minute, func() bool { return w.history.settled(subscribers) })
	pass(time.Minute) // what comes too much, comes now
	for _, p := range all {
		p.stop()
	}
	w.nats.Shutdown()
	w.nats.WaitForShutdown()
	broken, duplicates := w.history.check(subscribers)
	report(t, w.history, broken)
	t.Logf("seed %d: %s of virtual time, %d filters, %d targets, %d events, %d faults, %d duplicates", seed,
		time.Since(w.history.began).Round(time.Second), len(all)-2, len(subscribers), len(w.history.events), len(w.history.faults), duplicates)
}

// traffic posts events, one producer after the other in time, while faults happen.
func (w *world) traffic(all []*process) {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		return w.hosts[address].dial(ctx)
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	var producers sync.WaitGroup
	for i := range 40 + w.rng.IntN(40) {
		kind := []string{"made", "paid"}[w.rng.IntN(2)]
		producers.Go(func() { w.post(client, fmt.Sprintf("event-%d", i), kind) })
		pass(time.Duration(w.rng.IntN(2000)) * time.Millisecond)
		switch {
		case w.planted == "log purged" && i == 20:
			for _, p := range all[2:] {
				p.wires.cut(true) // what comes now, no filter has read
			}
		case w.planted == "log purged" && i == 30:
			w.purge(all)
		case w.rng.IntN(12) == 0 && w.planted != "log purged":
			w.disturb(all)
		}
	}
	producers.Wait()
}
