package depcheck

import (
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// nowhere is a package that does not exist: a check that accepts nowhere looks at nothing.
const nowhere = "pkg/nowhere"

// TestEachPackageHasALayer fails when a package stands in no row of the table in docs/architecture.md.
func TestEachPackageHasALayer(t *testing.T) {
	layers := readLayers(t)
	for _, name := range ownPackages(t) {
		if layers.of(name) < 0 {
			t.Errorf("%s is in no layer of docs/architecture.md", name)
		}
	}
	if layers.of(nowhere) >= 0 {
		t.Errorf("%s is in a layer", nowhere)
	}
}

// TestImportsGoDown fails when a package imports one of a layer above its own.
func TestImportsGoDown(t *testing.T) {
	layers := readLayers(t)
	for name, imports := range ownImports(t) {
		for _, imported := range layers.above(name, imports) {
			t.Errorf("%s imports %s, which is above it in docs/architecture.md", name, imported)
		}
	}
	if got := layers.above("pkg/event", []string{"pkg/naming", "pkg/jetstream", "cmd/ingress"}); len(got) != 2 {
		t.Errorf("of the planted imports the check finds %q", got)
	}
}

// TestDepguardKnowsEachPackage fails when no rule of depguard names a package under pkg, so that a new package has to be
// put into a rule. A rule for all files names none. Generated code has no rules.
func TestDepguardKnowsEachPackage(t *testing.T) {
	rules := readDepguard(t)
	for _, name := range append(ownPackages(t), nowhere) {
		if strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, "pkg/client/") {
			continue
		}
		named := slices.ContainsFunc(rules, func(r depguardRule) bool { return r.names(name) && !r.names(nowhere) })
		if named == (name == nowhere) {
			t.Errorf("a rule of depguard in .golangci.yml names %s: %v", name, named)
		}
	}
}

// layers are the rows of the table "Packages, and who may import whom", from the top.
type layers [][]string

// of returns the row of a package, which is that of the nearest folder that the table names, and -1 without one.
func (l layers) of(name string) int {
	for folder := name; folder != "."; folder = path.Dir(folder) {
		if row := slices.IndexFunc(l, func(row []string) bool { return slices.Contains(row, folder) }); row >= 0 {
			return row
		}
	}
	return -1
}

// above returns those of the imports that are in a higher layer than the package of that name.
func (l layers) above(name string, imports []string) []string {
	var found []string
	for _, imported := range imports {
		if l.of(imported) < l.of(name) {
			found = append(found, imported)
		}
	}
	return found
}

func readLayers(t *testing.T) layers {
	t.Helper()
	document, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "\n| Layer |")
	section, _, _ = strings.Cut(section, "\n\n")
	var rows layers
	for _, line := range strings.Split(section, "\n")[2:] {
		cells := strings.Split(line, "|")
		var row []string
		for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1) {
			row = append(row, quoted[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// depguardRule is a rule of depguard as .golangci.yml has it.
type depguardRule struct {
	Files []string `json:"files"`
}

// names reports whether the rule is for a file of the package.
func (r depguardRule) names(name string) bool {
	return slices.ContainsFunc(r.Files, func(pattern string) bool {
		return regexp.MustCompile("^" + globToRegexp.Replace(pattern) + "$").MatchString("/" + name + "/file.go")
	})
}

// globToRegexp translates what the rules use of depguard's patterns. A pattern that begins with ! or $ then matches no path.
var globToRegexp = strings.NewReplacer("**", ".*", "*", "[^/]*", ".", `\.`, "{", "(", "}", ")", ",", "|", "$", `\$`)

func readDepguard(t *testing.T) []depguardRule {
	t.Helper()
	text, err := os.ReadFile("../../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]depguardRule `json:"rules"`
				} `json:"depguard"`
			} `json:"settings"`
		} `json:"linters"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	return slices.Collect(maps.Values(config.Linters.Settings.Depguard.Rules))
}

// ownImports returns what each package under cmd and pkg imports of this module.
func ownImports(t *testing.T) map[string][]string {
	t.Helper()
	openSources(t)
	imports := map[string][]string{}
	for _, line := range list(t, "-f", `{{if .GoFiles}}{{.ImportPath}} {{join .Imports " "}}{{end}}`, "../../cmd/...", "../../pkg/...") {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		imports[name] = nil
		for _, imported := range fields[1:] {
			if own, ok := strings.CutPrefix(imported, module); ok && !strings.HasPrefix(own, "test/") {
				imports[name] = append(imports[name], own)
			}
		}
	}
	return imports
}

// ownPackages returns the packages under cmd and pkg that have other files than tests.
func ownPackages(t *testing.T) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(ownImports(t)))
}
