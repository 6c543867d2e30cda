package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/exitcode"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/embedded"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// execute runs kn-jetstream and returns what it printed on the standard output.
func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(io.Discard)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestWrongCommandLinesExitWith2(t *testing.T) {
	store := t.TempDir()
	for _, test := range []struct {
		name, args, want string
	}{
		{"unknown command", "serve", "unknown command"},
		{"unknown flag", "run --bogus", "unknown flag"},
		{"an argument too many", "run here", "unknown command"},
		{"an argument too few", "get", "accepts 1 arg"},
		{"an argument that is none", "get pods", "invalid argument"},
		{"an output that is none", "get brokers -o xml", `--output is "xml"; it is wide, json, yaml, name or not given`},
		{"describe nobody", "describe broker", "accepts 2 arg"},
		{"describe a pod", "describe pod orders", `no kind "pod"`},
		{"a description in a table", "describe broker default -o wide", `--output is "wide"; it is json, yaml or not given`},
		{"no files", "apply", "-f is needed"},
		{"an embedded and another NATS", "run --nats nats://127.0.0.1:1 --store " + store, "none of the others can be"},
		{"another NATS's disk", "run --nats nats://127.0.0.1:1 --sync always", "none of the others can be"},
		{"two NATS", "get brokers --nats nats://127.0.0.1:1 --store " + store, "none of the others can be"},
		{"no such sync", "run --sync never", "--sync"},
		{"less than no requests", "run --max-in-flight -1", "--max-in-flight"},
		{"less than no bytes", "run --max-event-bytes -1", "--max-event-bytes"},
		{"an address without a port", "run --listen 127.0.0.1", "--listen"},
		{"no such credentials", "get brokers --nats nats://127.0.0.1:1 --creds " + store + "/none", "no such file"},
		{"a URL that is none", "get brokers --nats %zz", "connect to NATS"},
		{"a rate that is no number", "send --rate NaN", "rate: "},
		{"no such filter", "bench --filter sql", "--filter"},
		{"no such output", "bench --output yaml", "--output"},
		{"a rate that is no number", "bench --rate NaN", "--rate"},
		{"a listener that is none", "bench --subscriber-listen 127.0.0.1", "--subscriber-listen"},
		{"a Broker that delivers to nowhere", "bench --target http://127.0.0.1:1/default/default", "--subscriber-listen"},
		{"a Broker and its disk", "bench --target http://127.0.0.1:1/default/default --store " + store, "none of the others can be"},
		{"no such program", "bench --ingress-program " + store + "/none", "no such file"},
		{"no rounds", "bench suite --rounds 0", "--rounds"},
		{"pause nobody", "pause trigger", "accepts 2 arg"},
		{"pause a pod", "pause pod orders", `no kind "pod"`},
		{"pause for no reason", "pause trigger orders --reason=", "--reason must say why"},
		{"a cluster and a disk", "resume trigger orders --context here --store " + store, "none of the others can be"},
		{"replay of nothing said", "replay orders", "--all"},
		{"replay to a Broker", "replay broker default --all", "not to a broker"},
		{"replay until before it begins", "replay orders --from 1h --to 2h", "--to must be later"},
		{"replay since no time", "replay orders --from yesterday", "--from"},
		{"replay by a filter that is none", "replay orders --filter type=", "--filter"},
		{"replay at no rate", "replay orders --all --rate -1", "--rate"},
		{"replay of all and some", "replay orders --all --type t", "none of the others can be"},
		{"replay again and on", "replay orders --resume --new", "none of the others can be"},
		{"tail of nobody", "tail broker", "accepts 2 arg"},
		{"tail of a pod", "tail pod orders", `no kind "pod"`},
		{"tail since no time", "tail broker default --from yesterday", "--from"},
		{"tail by a filter that is none", "tail broker default --filter type=", "--filter"},
		{"tail as a table", "tail broker default -o yaml", "--output"},
		{"test without an event", "test trigger orders", `"file" not set`},
		{"test a Broker", "test broker default --file " + store + "/none", "a broker has none"},
		{"test with no such file", "test trigger orders --file " + store + "/none", "--file"},
		{"no such run", "bench suite --only p99", "p99"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := execute(t, strings.Fields(test.args)...)
			if err == nil || exitcode.Of(err) != exitcode.BadInput || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want exit code 2 and %q in it", err, test.want)
			}
		})
	}
}

func TestWhatDoesNotWorkExitsWith1(t *testing.T) {
	if _, err := execute(t, "get", "brokers", "--store", t.TempDir()); err == nil || exitcode.Of(err) != exitcode.Failed {
		t.Errorf("error %v, want exit code 1", err)
	}
}

// A run that is killed leaves its URL file behind.
func TestAStaleStoreIsSaidAtOnce(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close() // a port at which nobody listens
	store := t.TempDir()
	url := "nats://secret@" + listener.Addr().String() + "\n"
	if err := os.WriteFile(embedded.URLFile(store), []byte(url), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = execute(t, "get", "brokers", "--store", store)
	if err == nil || !strings.Contains(err.Error(), "no kn-jetstream run is using the store "+store) || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > connectBudget/2 {
		t.Errorf("it took %s", took)
	}
}

func TestGetBeforeTheFirstApplyShowsNothing(t *testing.T) {
	nats := natstest.Start(t, nil)
	for _, what := range []string{"brokers", "triggers"} {
		if out, err := execute(t, "get", what, "--nats", nats.URL(), "-o", "json"); err != nil || strings.TrimSpace(out) != "[]" {
			t.Errorf("get %s -o json: error %v, output %q, want []", what, err, out)
		}
		if out, err := execute(t, "get", what, "--nats", nats.URL()); err != nil || !strings.HasPrefix(strings.TrimSpace(out), "NAMESPACE") {
			t.Errorf("get %s: error %v, output %q, want the head of the table", what, err, out)
		}
	}
	file := filepath.Join("..", "..", "examples", "quickstart")
	if _, err := execute(t, "delete", "-f", file, "--nats", nats.URL()); err == nil || !strings.Contains(err.Error(), "nothing to delete") {
		t.Errorf("delete: error %v, want that there is nothing to delete", err)
	}
}

func TestUnreachableNATSIsNamedWithTheCause(t *testing.T) {
	t.Parallel()
	o := routeOptions{}
	o.nats.URL, o.nats.Prefix = "nats://user:secret@127.0.0.1:1,token@127.0.0.1:2", "kn"
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := o.client(ctx, "test")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"nats://127.0.0.1:1,nats://127.0.0.1:2", "connection refused"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "token") {
		t.Errorf("the error tells a secret: %v", err)
	}
}

func TestVersion(t *testing.T) {
	for _, args := range []string{"version", "--version"} {
		out, err := execute(t, args)
		if err != nil || !strings.HasPrefix(out, "kn-jetstream ") || !strings.Contains(out, " go1.") || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: %q, error %v", args, out, err)
		}
	}
}
