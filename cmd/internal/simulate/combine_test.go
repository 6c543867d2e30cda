package simulate

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// One program has all patches in it, as a build for each would take longer than the seeds do. Go's overlay gives the
// compiler other files than those of the module: each function that a patch changes begins with the body that the patch
// gives it, for when the environment chooses that patch.

// chosenMutant names the patch that a program made by combine runs with.
const chosenMutant = "SIMULATE_MUTANT"

const chooser = `package %s

import "os"

var chosenMutant = os.Getenv("` + chosenMutant + `")
`

// combine builds this package's test program with every patch in it, and returns where that is.
func combine(t *testing.T, patches []string) string {
	folder := t.TempDir()
	absolute, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	sources, replace := map[string]*source{}, map[string]string{}
	for _, patch := range patches {
		if err := plant(t.TempDir(), patch, sources); err != nil {
			t.Fatalf("%s: %v", patch, err)
		}
	}
	overlay := func(path string, data []byte) {
		to := filepath.Join(folder, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(absolute, path)] = to
	}
	for path, s := range sources {
		overlay(path, s.withMutants())
		overlay(filepath.Join(filepath.Dir(path), "chosen_mutant.go"), fmt.Appendf(nil, chooser, s.packageName))
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list, program := filepath.Join(folder, "overlay.json"), filepath.Join(folder, "simulate.test")
	if err := os.WriteFile(list, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := command(root, "go", "test", "-c", "-vet=off", "-overlay", list, "-o", program, "./cmd/internal/simulate"); err != nil {
		t.Fatalf("the patches do not build: %v: %s", err, out)
	}
	return program
}

// plant applies the patch in a folder of its own, and adds the bodies that the patch changes to the sources.
func plant(folder, patch string, sources map[string]*source) error {
	file, err := filepath.Abs(patch)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file) //nolint:gosec // a file of this repository
	if err != nil {
		return err
	}
	var paths []string
	for line := range strings.Lines(string(text)) {
		path, found := strings.CutPrefix(strings.TrimSpace(line), "--- a/")
		if !found {
			continue
		}
		if paths = append(paths, path); sources[path] == nil {
			data, err := os.ReadFile(filepath.Join(root, path)) //nolint:gosec // a file of this repository
			if err != nil {
				return err
			}
			if sources[path], err = newSource(data); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(filepath.Join(folder, filepath.Dir(path)), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, path), sources[path].text, 0o600); err != nil {
			return err
		}
	}
	if out, err := command(folder, "git", "apply", file); err != nil {
		return fmt.Errorf("it does not apply: %w: %s", err, out)
	}
	for _, path := range paths {
		data, err := os.ReadFile(filepath.Join(folder, path)) //nolint:gosec // a file that was written above
		if err != nil {
			return err
		}
		if err := sources[path].add(mutantName(patch), data); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// source is a file of the broker, with what patches make of it.
type source struct {
	packageName string
	text        []byte
	functions   map[string]function
	mutants     map[string][]string // by function: what its body begins with
}

// function is the place of a body, between the braces.
type function struct {
	from, to int
	results  bool
}

func newSource(text []byte) (*source, error) {
	tree, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := &source{packageName: tree.Name.Name, text: text, functions: map[string]function{}, mutants: map[string][]string{}}
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		name := string(text[f.Pos()-1 : f.Body.Lbrace-1]) // the whole head: methods of two types may have one name
		s.functions[name] = function{from: int(f.Body.Lbrace), to: int(f.Body.Rbrace) - 1, results: f.Type.Results != nil}
	}
	return s, nil
}

// add keeps the bodies that differ in the patched text.
func (s *source) add(mutant string, text []byte) error {
	patched, err := newSource(text)
	if err != nil {
		return err
	}
	if s.around() != patched.around() {
		return fmt.Errorf("%s changes more than bodies of functions", mutant)
	}
	for name, f := range s.functions {
		g := patched.functions[name]
		body := string(text[g.from:g.to])
		if body == string(s.text[f.from:f.to]) {
			continue
		}
		if !f.results {
			body += "\nreturn\n"
		}
		s.mutants[name] = append(s.mutants[name], fmt.Sprintf("\nif chosenMutant == %q {%s}\n", mutant, body))
	}
	return nil
}

// around is the file without bodies.
func (s *source) around() string {
	text := string(s.text)
	for _, f := range s.fromTheEnd() {
		text = text[:s.functions[f].from] + text[s.functions[f].to:]
	}
	return text
}

// withMutants is the file with the bodies of the patches in front of its own.
func (s *source) withMutants() []byte {
	text := string(s.text)
	for _, f := range s.fromTheEnd() {
		at := s.functions[f].from
		text = text[:at] + strings.Join(s.mutants[f], "") + text[at:]
	}
	return []byte(text)
}

// fromTheEnd has the last function first, so that a change leaves the places of those that follow.
func (s *source) fromTheEnd() []string {
	return slices.SortedFunc(maps.Keys(s.functions), func(a, b string) int { return s.functions[b].from - s.functions[a].from })
}
