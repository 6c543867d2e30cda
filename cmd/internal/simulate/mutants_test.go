package simulate

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// root is the folder of the module, as seen from this package.
const root = "../../.."

// TestMutants shows who checks the checker: each patch in mutants breaks a promise in the code of
// the broker, and has to be found within the budget of seeds. SIMULATE_MUTANTS names the patches,
// says how many to choose at random of those that were found before, or is "all". Those that no seed
// has found yet are in mutants/open.
func TestMutants(t *testing.T) {
	wanted := os.Getenv("SIMULATE_MUTANTS")
	if wanted == "" {
		t.Log("no patch is tried: make simulate-mutants names them")
		return
	}
	budget, err := strconv.Atoi(os.Getenv("SIMULATE_SEEDS"))
	if err != nil {
		budget = 30
	}
	found, err := filepath.Glob("mutants/*.patch")
	if err != nil || len(found) == 0 {
		t.Fatalf("%d patches, error %v", len(found), err)
	}
	open, err := filepath.Glob("mutants/open/*.patch")
	if err != nil {
		t.Fatal(err)
	}
	patches := slices.Concat(found, open)
	began := time.Now()
	program := combine(t, patches)
	t.Logf("built with %d patches in %s", len(patches), time.Since(began).Round(time.Second))

	next := make(chan string)
	var running sync.WaitGroup
	for range runtime.NumCPU() {
		running.Go(func() {
			for name := range next {
				seek(t, program, name, budget)
			}
		})
	}
	for _, name := range choose(t, found, open, wanted) {
		next <- name
	}
	close(next)
	running.Wait()
}

// choose returns the names of the patches that are wanted.
func choose(t *testing.T, found, open []string, wanted string) []string {
	if n, err := strconv.Atoi(wanted); err == nil {
		rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		return namesOf(found[:min(n, len(found))])
	}
	all := namesOf(slices.Concat(found, open))
	if wanted == "all" {
		return all
	}
	chosen := strings.FieldsFunc(wanted, func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range chosen {
		if !slices.Contains(all, name) {
			t.Fatalf("there is no patch %q in mutants", name)
		}
	}
	return chosen
}

func namesOf(patches []string) (names []string) {
	for _, patch := range patches {
		names = append(names, mutantName(patch))
	}
	return names
}

func mutantName(patch string) string { return strings.TrimSuffix(filepath.Base(patch), ".patch") }

// seek simulates seeds with a patch until one finds it.
func seek(t *testing.T, program, name string, budget int) {
	began := time.Now()
	for seed := 1; seed <= budget; seed++ {
		out, err := simulate(t, program, seed, chosenMutant+"="+name)
		if err == nil {
			continue
		}
		if _, what, found := strings.Cut(out, "broken: "); found {
			what, _, _ = strings.Cut(what, "\n")
			t.Logf("%-32s seed %2d %5.0f s  %s", name, seed, time.Since(began).Seconds(), what)
			return
		}
		t.Logf("%s: seed %d ends without a verdict: %v: %s", name, seed, err, tail(out))
	}
	t.Errorf("%-32s NOT FOUND within %d seeds, %.0f s", name, budget, time.Since(began).Seconds())
}

func tail(text string) string { return text[max(0, len(text)-600):] }

func command(folder, name string, args ...string) (string, error) {
	c := exec.Command(name, args...) //nolint:gosec // git and go
	c.Dir = folder
	out, err := c.CombinedOutput()
	return string(out), err
}
