package simulate

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// root is the folder of the module, as seen from this package.
const root = "../../.."

// TestMutants shows who checks the checker: each patch in mutants breaks a promise in the code of
// the broker, and has to be found within the budget of seeds. SIMULATE_MUTANTS names the patches,
// or is "all".
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
	tree := copyTree(t)
	patches, err := filepath.Glob("mutants/*.patch")
	if err != nil || len(patches) == 0 {
		t.Fatalf("%d patches, error %v", len(patches), err)
	}
	var table strings.Builder
	for _, patch := range patches {
		name := strings.TrimSuffix(filepath.Base(patch), ".patch")
		if wanted != "all" && !strings.Contains(" "+wanted+" ", " "+name+" ") {
			continue
		}
		began := time.Now()
		finding, err := seek(t, tree, patch, budget)
		if err != nil {
			t.Errorf("%s: NOT FOUND: %v", name, err)
			finding = "NOT FOUND"
		}
		fmt.Fprintf(&table, "%-32s %4.0f s  %s\n", name, time.Since(began).Seconds(), finding)
	}
	t.Log("\n" + table.String())
}

// copyTree copies what git has of the module, as it is in the folder now.
func copyTree(t *testing.T) string {
	tree := t.TempDir()
	list, err := command(root, "git", "ls-files", "--cached", "--others", "--exclude-standard")
	if err != nil {
		t.Fatal(err)
	}
	for file := range strings.Lines(list) {
		file = strings.TrimSpace(file)
		data, err := os.ReadFile(filepath.Join(root, file)) //nolint:gosec // a file of this repository
		if err != nil {
			continue // a link, or one that is deleted and not committed
		}
		to := filepath.Join(tree, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// seek applies the patch to the tree, simulates seeds until one finds it, and takes the patch off
// again.
func seek(t *testing.T, tree, patch string, budget int) (string, error) {
	file, err := filepath.Abs(patch)
	if err != nil {
		return "", err
	}
	if out, err := command(tree, "git", "apply", file); err != nil {
		return "", fmt.Errorf("it does not apply: %w: %s", err, out)
	}
	defer func() {
		if out, err := command(tree, "git", "apply", "--reverse", file); err != nil {
			t.Fatalf("%s cannot be taken off: %s", patch, out)
		}
	}()
	program := filepath.Join(t.TempDir(), "simulate.test")
	if out, err := command(tree, "go", "test", "-c", "-vet=off", "-o", program, "./cmd/internal/simulate"); err != nil {
		return "", fmt.Errorf("it does not build: %w: %s", err, out)
	}
	for seed := 1; seed <= budget; seed++ {
		out, err := simulate(t, program, seed, "")
		if err == nil {
			continue
		}
		if _, what, found := strings.Cut(out, "broken: "); found {
			what, _, _ = strings.Cut(what, "\n")
			return fmt.Sprintf("found by seed %d: %s", seed, what), nil
		}
		t.Logf("%s: seed %d ends without a verdict: %v: %s", patch, seed, err, tail(out))
	}
	return "", fmt.Errorf("%d seeds", budget)
}

func tail(text string) string { return text[max(0, len(text)-600):] }

func command(folder, name string, args ...string) (string, error) {
	c := exec.Command(name, args...) //nolint:gosec // git and go
	c.Dir = folder
	out, err := c.CombinedOutput()
	return string(out), err
}
