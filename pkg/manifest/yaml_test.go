package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

// What YAML 1.2 has and the library takes only in part, or only once it decodes.
func TestYAMLOfAllKinds(t *testing.T) {
	const mark = "\ufeff"
	item := "- " + strings.ReplaceAll(strings.TrimSuffix(trigger, "\n"), "\n", "\n  ") + "\n"
	for name, c := range map[string]struct{ file, routes string }{
		"an item that is another one merged": {
			"apiVersion: v1\nkind: List\nitems:\n" + strings.Replace(item, "- ", "- &t\n  ", 1) + "- <<: *t\n  metadata: {name: t2}\n",
			both + ", trigger default/t2 of broker default/default",
		},
		"an item that merges its header": {
			"apiVersion: v1\nkind: List\nmetadata: &h {apiVersion: eventing.knative.dev/v1, kind: Trigger}\nitems:\n" +
				"- <<: [*h, {kind: Broker}]\n  metadata: {name: t}\n  spec: {broker: default, subscriber: {uri: http://127.0.0.1:8080/}}\n", both,
		},
		"a document that merges":                      {"<<: {kind: Trigger, apiVersion: v0}\n" + strings.Replace(trigger, "kind: Trigger\n", "", 1), both},
		"a byte order mark before the first":          {mark + trigger, both},
		"a byte order mark behind the separator":      {"# nothing\n---\n" + mark + trigger, both},
		"a byte order mark before the separator":      {"# nothing\n" + mark + "---\n" + trigger, both},
		"a byte order mark before a second JSON":      {"{\"apiVersion\":\"v1\",\"kind\":\"List\"}\n" + mark + "{\"apiVersion\":\"v1\",\"kind\":\"List\"}\n", "broker default/default"},
		"a directive of YAML 1.2":                     {"%YAML 1.2\n---\n" + trigger, both},
		"a directive of YAML 1.2 before the second":   {"# nothing\n---\n...\n%YAML 1.2 # the version\n--- \n" + trigger, both},
		"a byte order mark and a directive, with CRs": {mark + strings.ReplaceAll("%YAML 1.2\n---\n"+trigger, "\n", "\r\n"), both},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := loaded(t, map[string]string{"broker.yaml": broker, "f.yaml": c.file}); got != c.routes {
				t.Errorf("got %s, want %s", got, c.routes)
			}
		})
	}
}

// A version that YAML does not have yet is not read as if it were 1.2.
func TestYAMLOfAnotherVersion(t *testing.T) {
	for _, directive := range []string{"%YAML 2.0\n---\n", "%YAML 1.2\n", "%YAML 1.2\n%YAML 1.2\n---\n"} {
		if _, err := manifest.Load([]string{write(t, map[string]string{"f.yaml": directive + trigger})}, manifest.LoadOptions{}); err == nil {
			t.Errorf("%q is taken", directive)
		}
	}
}

// Upstream's parser of CESQL has a voice of its own, on standard error.
func TestMalformedCESQLIsToldOnce(t *testing.T) {
	dir := write(t, map[string]string{"b.yaml": broker, "f.yaml": trigger + "  filters: [{cesql: 'type = ;'}, {any: [{cesql: '@ ='}]}]\n"})
	old := os.Stderr
	captured, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = captured
	_, loadErr := manifest.Load([]string{dir}, manifest.LoadOptions{})
	os.Stderr = old
	printed, err := os.ReadFile(captured.Name())
	if err != nil || len(printed) > 0 {
		t.Errorf("printed %q, error %v", printed, err)
	}
	if loadErr == nil || strings.Count(loadErr.Error(), "f.yaml:9") != 2 || !strings.Contains(loadErr.Error(), "spec.filters[1].any[0].cesql") {
		t.Errorf("error %v, want one for each", loadErr)
	}
}

// A header is looked for in what a thousand nodes merge, no more: lists of aliases make thousands of items of a small file.
func TestAHeaderIsNotFarAway(t *testing.T) {
	for levels, found := range map[int]bool{2: true, 4: false} { // 10 to the power of that
		var file strings.Builder
		file.WriteString("apiVersion: v1\nkind: List\nmetadata:\n  m0: &m0 {a: b}\n")
		for i := range levels {
			ten := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*m%d, ", i), 10), ", ")
			fmt.Fprintf(&file, "  m%d: &m%d {<<: [%s]}\n", i+1, i+1, ten)
		}
		fmt.Fprintf(&file, "items:\n- <<: [*m%d, {apiVersion: v1, kind: List}]\n", levels)
		_, err := manifest.Load([]string{write(t, map[string]string{"f.yaml": file.String()})}, manifest.LoadOptions{})
		if found != (err == nil) || err != nil && !strings.Contains(err.Error(), "apiVersion: must be a string") {
			t.Errorf("10^%d nodes: error %v", levels, err)
		}
	}
}
