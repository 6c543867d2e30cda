// Package depcheck holds the import rules that hold through any number of packages in between.
// The direct ones stand in .golangci.yml, where an editor sees them.
package depcheck

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"knative.dev/pkg/depcheck"
)

const module = "github.com/eventing-jetstream/eventing-jetstream/"

// TestDataPlaneLinksNoKubernetes keeps ingress and filter working without a cluster. It bans whole modules: linking one
// package of client-go usually means linking 180 of them.
func TestDataPlaneLinksNoKubernetes(t *testing.T) {
	depcheck.AssertNoDependency(t, forAll(t,
		[]string{
			"cmd/ingress", "cmd/filter",
			"pkg/body", "pkg/jsonscan", "pkg/event", "pkg/cesql", "pkg/naming", "pkg/delivery", "pkg/filter", "pkg/count", "pkg/route", "pkg/limit",
			"pkg/ingress", "pkg/dispatch", "pkg/jetstream", "pkg/jetstream/consume", "pkg/jetstream/park", "pkg/jetstream/publish",
			"pkg/jetstream/owner", "pkg/deliver", "cmd/internal/display", "cmd/internal/send",
		},
		[]string{
			"k8s.io/client-go/...", "knative.dev/pkg/injection/...", "knative.dev/eventing/...",
			module + "pkg/compile", module + "pkg/manifest",
		}))
}

// TestHandlersDoNotKnowTheAdapters keeps NATS and HTTP clients behind the interfaces that ingress and dispatch declare.
func TestHandlersDoNotKnowTheAdapters(t *testing.T) {
	depcheck.AssertNoDependency(t, forAll(t,
		[]string{"pkg/ingress", "pkg/dispatch"},
		[]string{"github.com/nats-io/nats.go/...", module + "pkg/jetstream", module + "pkg/deliver"}))
}

// rooms are the packages of the adapter to NATS that the data plane is made of.
func rooms() []string {
	return []string{
		"pkg/jetstream", "pkg/jetstream/codec", "pkg/jetstream/consume", "pkg/jetstream/park", "pkg/jetstream/publish", "pkg/jetstream/pull",
		"pkg/jetstream/routes", "pkg/jetstream/stats", "pkg/jetstream/trim",
	}
}

// owners are those that make, delete or move what the data plane uses.
func owners() []string {
	return []string{
		module + "pkg/jetstream/owner", module + "pkg/jetstream/buckets", module + "pkg/jetstream/status", module + "pkg/jetstream/letters",
		module + "pkg/jetstream/handles", module + "pkg/jetstream/replay", module + "pkg/jetstream/tail",
		module + "pkg/jetstream/migrate", module + "pkg/jetstream/describe",
	}
}

// TestDataPlaneLinksNoOwner keeps the code that makes and deletes streams and consumers out of ingress and filter (I5).
func TestDataPlaneLinksNoOwner(t *testing.T) {
	depcheck.AssertNoDependency(t, forAll(t,
		append(rooms(), "cmd/ingress", "cmd/filter", "cmd/internal/daemon", "cmd/internal/dataplane", "pkg/ingress", "pkg/dispatch", "pkg/share"), owners()))
}

// TestTheOwnerIsFoundWhereItIsLinked guards the test above: the controller and kn-jetstream do link the owner, through other packages.
func TestTheOwnerIsFoundWhereItIsLinked(t *testing.T) {
	for _, program := range []string{"cmd/controller", "cmd/kn-jetstream"} {
		if depcheck.CheckNoDependency(module+program, owners()[:1]) == nil {
			t.Errorf("%s: no dependency on the owner is found in a program that has it", program)
		}
	}
}

// TestProcessesEmbedNoServer keeps the NATS server in kn-jetstream, the one program that embeds it.
func TestProcessesEmbedNoServer(t *testing.T) {
	depcheck.AssertNoDependency(t, forAll(t,
		[]string{"cmd/ingress", "cmd/filter", "pkg/jetstream", "pkg/deliver"},
		[]string{"github.com/nats-io/nats-server/v2/..."}))
}

// TestProcessesKnowNoBenchmark keeps what measures, and the plots of it, out of what is measured.
func TestProcessesKnowNoBenchmark(t *testing.T) {
	depcheck.AssertNoDependency(t, forAll(t,
		[]string{"cmd/ingress", "cmd/filter", "cmd/controller"},
		[]string{module + "cmd/internal/bench/...", "github.com/valyala/fasthttp/...", "github.com/wcharczuk/go-chart/..."}))
}

// TestPurePackages shows that the pure packages link the standard library and each other, downward only.
func TestPurePackages(t *testing.T) {
	standard := list(t, "std")
	below := func(packages ...string) []string { return slices.Concat(standard, inModule(packages)) }
	openSources(t)
	depcheck.AssertOnlyDependencies(t, map[string][]string{
		module + "pkg/body":           below(),
		module + "pkg/jsonscan":       below(),
		module + "pkg/event":          below("pkg/jsonscan"),
		module + "pkg/cesql":          below("pkg/jsonscan", "pkg/event"),
		module + "pkg/naming":         below("pkg/jsonscan", "pkg/event", "pkg/cesql", "pkg/count", "pkg/route", "pkg/delivery", "pkg/filter"),
		module + "pkg/naming/foreign": below("pkg/jsonscan", "pkg/event", "pkg/cesql", "pkg/count", "pkg/route", "pkg/delivery", "pkg/filter", "pkg/naming"),

		module + "pkg/delivery": below("pkg/jsonscan", "pkg/event"),
		module + "pkg/filter":   below("pkg/jsonscan", "pkg/event", "pkg/cesql"),
		module + "pkg/route":    below("pkg/jsonscan", "pkg/event", "pkg/cesql", "pkg/count", "pkg/delivery", "pkg/filter"),
		module + "pkg/count":    below(),
		module + "pkg/limit":    below(),
		module + "pkg/loop":     below(),

		module + "pkg/requestreply":   below("pkg/jsonscan", "pkg/event", "pkg/cesql"),
		module + "pkg/filter/explain": below("pkg/jsonscan", "pkg/event", "pkg/cesql", "pkg/filter", "pkg/requestreply"),
	})
}

// TestTheCheckFindsSomething guards the tests above against a check that passes because it looks at nothing: upstream's API
// types do link client-go, and that is the very reason for these rules.
func TestTheCheckFindsSomething(t *testing.T) {
	if depcheck.CheckNoDependency("knative.dev/eventing/pkg/apis/eventing/v1", list(t, "-find", "k8s.io/client-go/...")) == nil {
		t.Error("no dependency on client-go found in a package that has it")
	}
}

// forAll bans every package that matches the patterns from each of our packages.
func forAll(t *testing.T, packages, patterns []string) map[string][]string {
	t.Helper()
	// -find: the modules' packages that nobody imports may lack what they import themselves.
	banned := list(t, append([]string{"-find"}, patterns...)...)
	// depcheck takes a package that does not exist for one without imports; go list does not.
	list(t, inModule(packages)...)
	openSources(t)
	rules := make(map[string][]string, len(packages))
	for _, name := range inModule(packages) {
		rules[name] = banned
	}
	return rules
}

func inModule(packages []string) []string {
	paths := make([]string, len(packages))
	for i, name := range packages {
		paths[i] = module + name
	}
	return paths
}

// list returns the lines that `go list` prints for its arguments, such as import paths; none is a failure.
func list(t *testing.T, arguments ...string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"list"}, arguments...)...)
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	lines := strings.FieldsFunc(string(output), func(r rune) bool { return r == '\n' })
	if err != nil || len(lines) == 0 {
		t.Fatalf("%s: %v\n%s", command, err, stderr.String())
	}
	return lines
}

// openSources opens every source folder, so that `go test` does not take a result from its cache after an import changed: it
// watches what a test opens itself, not what the go command, started by the test, reads.
func openSources(t *testing.T) {
	t.Helper()
	for _, root := range []string{"../../cmd", "../../pkg"} {
		if err := filepath.WalkDir(root, func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
	}
}
