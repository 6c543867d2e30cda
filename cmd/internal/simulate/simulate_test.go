// Package simulate runs a whole broker, with the real NATS server, in virtual time, and checks the
// history of every event. A seed makes the same choices again; the scheduler of goroutines is not
// seeded.
package simulate

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
)

// TestSimulate starts one process for each seed: timers that nats.go keeps for the process must not
// get from one bubble into another.
func TestSimulate(t *testing.T) {
	seeds, first := 3, 1
	if s, err := strconv.Atoi(os.Getenv("SIMULATE_SEEDS")); err == nil {
		seeds = s
	}
	if s, err := strconv.Atoi(os.Getenv("SIMULATE_SEED")); err == nil {
		seeds, first = 1, s
	}
	for seed := first; seed < first+seeds; seed++ {
		out, err := simulate(t, os.Args[0], seed, chosenMutant+"=")
		t.Log(out)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

// TestPlantedDefects shows that the checker finds what is wrong with the world around the broker,
// within a few seeds. Defects of the broker itself are the patches in mutants.
func TestPlantedDefects(t *testing.T) {
	for planted, finding := range map[string]string{
		"acknowledged before delivery": "neither delivered",
		"filter ignored":               "does not match",
	} {
		found := false
		for seed := 1; seed <= 5 && !found; seed++ {
			out, err := simulate(t, os.Args[0], seed, "SIMULATE_PLANTED="+planted)
			found = err != nil && strings.Contains(out, finding)
			if found {
				t.Logf("%s: found by seed %d", planted, seed)
			}
		}
		if !found {
			t.Errorf("%s: not found within 5 seeds", planted)
		}
	}
}

// simulate runs one seed in a process of a program, with a setting in its environment.
func simulate(t *testing.T, program string, seed int, setting string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, program, "-test.run=^TestOneSeed$", "-test.v") //nolint:gosec // it is this program, or a mutant of it
	run.Env = append(os.Environ(), "SIMULATE_ONE="+strconv.Itoa(seed), setting)
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
