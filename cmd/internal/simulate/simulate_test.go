// Package simulate runs a whole broker, with the real NATS server, in virtual time, and checks the
// history of every event. A seed makes the same choices again; the scheduler of goroutines is not
// seeded.
package simulate

import (
	"context"
	"errors"
	"iter"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
)

// TestSimulate starts one process for each seed: timers that nats.go keeps for the process must not
// get from one bubble into another. As many run at one time as there are processors.
func TestSimulate(t *testing.T) {
	var running sync.WaitGroup
	next, all := make(chan int), newTally()
	var mu sync.Mutex
	for range runtime.NumCPU() {
		running.Go(func() {
			for seed := range next {
				out, err := simulate(t, os.Args[0], seed, chosenMutant+"=")
				mu.Lock()
				err = errors.Join(err, all.add(out))
				mu.Unlock()
				if err != nil {
					t.Errorf("seed %d: %v: %s", seed, err, out)
				} else {
					t.Log(summary(out))
				}
			}
		})
	}
	for seed := range seeds(t) {
		next <- seed
	}
	close(next)
	running.Wait()
	t.Log("\n" + all.String())
}

// summary is the line of the output that says what a seed was.
func summary(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "of virtual time") {
			return strings.TrimSpace(line)
		}
	}
	return out
}

// failed are the seeds that have found something: in the broker, or in the simulation itself. They come first.
func failed() []int { return []int{10} }

// seeds are those that the environment asks for: one, a number of them, or as many as there is time for.
func seeds(t *testing.T) iter.Seq[int] {
	if seed, err := strconv.Atoi(os.Getenv("SIMULATE_SEED")); err == nil {
		return slices.Values([]int{seed})
	}
	count := 3
	if n, err := strconv.Atoi(os.Getenv("SIMULATE_SEEDS")); err == nil {
		count = n
	}
	end := time.Now().Add(24 * time.Hour)
	if lasts := os.Getenv("SIMULATE_FOR"); lasts != "" {
		d, err := time.ParseDuration(lasts)
		if err != nil {
			t.Fatalf("SIMULATE_FOR: %v", err)
		}
		count, end = math.MaxInt, time.Now().Add(d)
	}
	return func(yield func(int) bool) {
		done := 0
		each := func(seed int) bool {
			done++
			return done <= count && time.Now().Before(end) && yield(seed)
		}
		for _, seed := range failed() {
			if !each(seed) {
				return
			}
		}
		for seed := 1; slices.Contains(failed(), seed) || each(seed); seed++ {
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
		for _, seed := range []int{7, 8, 1, 2, 3, 4, 5, 6, 9, 10} { // those that have found one come first
			if found {
				break
			}
			out, err := simulate(t, os.Args[0], seed, "SIMULATE_PLANTED="+planted)
			found = err != nil && strings.Contains(out, finding)
			if found {
				t.Logf("%s: found by seed %d", planted, seed)
			}
		}
		if !found {
			t.Errorf("%s: not found within 10 seeds", planted)
		}
	}
}

// simulate runs one seed in a process of a program, with a setting in its environment.
func simulate(t *testing.T, program string, seed int, setting string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, program, "-test.run=^TestOneSeed$", "-test.v") //nolint:gosec // it is this program, or a mutant of it
	// The collector took half of the time: a seed lives for seconds.
	run.Env = append(os.Environ(), "GOGC=400", "SIMULATE_ONE="+strconv.Itoa(seed), setting)
	// Virtual time stands still when somebody waits for a lock whose holder sleeps: the stacks say who.
	run.Cancel = func() error { return run.Process.Signal(syscall.SIGQUIT) }
	run.WaitDelay = 10 * time.Second
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
