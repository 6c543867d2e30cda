package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// benchResult is what the tests read of the JSON that kn-jetstream bench prints.
type benchResult struct {
	Accepted, Expected, Delivered, DeadLettered, Lost, Unexpected, Exhausted, Misjudged int

	Refused   map[int]int
	Processes []struct {
		Name string
		Peak int64
	}
}

// peak returns the most memory in bytes that the process of that name had, and 0 for one that was not measured.
func (r benchResult) peak(name string) int64 {
	for _, p := range r.Processes {
		if p.Name == name {
			return p.Peak
		}
	}
	return 0
}

// runBench runs kn-jetstream bench and returns what it found, and its exit code.
func runBench(t *testing.T, args ...string) (benchResult, int) {
	t.Helper()
	dependOnSources(t)
	args = append([]string{"bench", "--output", "json", "--connections", "8"}, args...)
	command := exec.CommandContext(t.Context(), built.kn, args...)
	var stderr strings.Builder
	command.Stderr = &stderr
	output, err := command.Output()
	var r benchResult
	if jsonErr := json.Unmarshal(output, &r); jsonErr != nil {
		t.Fatalf("%v: %v, %v\n%s", command, err, jsonErr, stderr.String())
	}
	return r, command.ProcessState.ExitCode()
}

func TestBenchAccountsForEveryEvent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, args string
		// Deliveries that are expected, and the processes besides the benchmark's own.
		expected  int
		processes []string
	}{
		{"one Trigger", "--count 300", 300, []string{"nats-server", "ingress", "filter"}},
		{"the ingress alone", "--count 300 --triggers 0", 0, []string{"nats-server", "ingress"}},
		{"types, fan-out, CESQL, open loop", "--count 300 --types 3 --triggers 2 --idle-triggers 2 --filter cesql --rate 2000 --mode structured", 600,
			[]string{"nats-server", "ingress", "filter"}},
		{"batches, replies", "--count 300 --mode batch --batch-size 7 --filter prefix --replies", 600,
			[]string{"nats-server", "ingress", "filter"}},
		{"a backlog", "--backlog 300 --duration 0", 300, []string{"nats-server", "ingress", "filter"}},
		{"F1", "--count 300 --triggers 0 --floor f1", 0, []string{"floor"}},
		{"F2a", "--count 300 --triggers 0 --floor f2a", 0, []string{"nats-server", "floor"}},
		{"F2b", "--count 300 --triggers 0 --floor f2b", 0, []string{"nats-server", "floor"}},
		{"F6", "--count 300 --floor f3 --subscriber-latency 2ms", 300, []string{"floor"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, code := runBench(t, strings.Fields(test.args)...)
			if code != 0 || r.Accepted != 300 || r.Expected != test.expected || r.Delivered != test.expected || r.Lost != 0 || r.Unexpected != 0 {
				t.Errorf("exit code %d, %+v", code, r)
			}
			for _, name := range test.processes {
				if r.peak(name) == 0 {
					t.Errorf("%s: not measured", name)
				}
			}
			if len(r.Processes) != len(test.processes)+1 {
				t.Errorf("processes %+v", r.Processes)
			}
		})
	}
}

func TestBenchDeadLettersExactlyTheExhausted(t *testing.T) {
	t.Parallel()
	r, code := runBench(t, strings.Fields("--count 300 --fail-share 0.5 --retry 2 --backoff-policy linear --backoff-delay PT0.05S")...)
	if code != 0 || r.Lost != 0 || r.Misjudged != 0 || r.DeadLettered == 0 || r.DeadLettered != r.Exhausted || r.Delivered+r.DeadLettered != 300 {
		t.Errorf("exit code %d, %+v", code, r)
	}
}

func TestBenchLeavesNothingOnANATS(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	url := "nats://127.0.0.1:" + port
	start(t, "nats-server", built.natsServer, "-js", "-a", "127.0.0.1", "-p", port, "-sd", t.TempDir())
	report := filepath.Join(t.TempDir(), "report.html")
	if r, code := runBench(t, "--count", "300", "--nats", url, "--prefix", "measured", "--report", report); code != 0 || r.Delivered != 300 {
		t.Errorf("exit code %d, %+v", code, r)
	}
	if page, err := os.ReadFile(report); err != nil || !strings.Contains(string(page), "<svg") {
		t.Errorf("no report with plots: %v", err)
	}
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for name := range js.StreamNames(t.Context()).Name() {
		if strings.Contains(name, "measured") {
			t.Errorf("the stream %s is still there", name)
		}
	}
}

func TestBenchKeepsOffAnInstallation(t *testing.T) {
	t.Parallel()
	url := startNATS(t, manifest(brokerOf("orders", "")))
	output, err := exec.CommandContext(t.Context(), built.kn, "bench", "--count", "10", "--nats", url, "--prefix", "kn").CombinedOutput()
	if err == nil || !strings.Contains(string(output), "--prefix must be one that nobody uses") {
		t.Errorf("%v\n%s", err, output)
	}
	if out := run(t, built.kn, "get", "brokers", "--nats", url); !strings.Contains(out, "orders") {
		t.Errorf("the Broker that was there is gone:\n%s", out)
	}
}

func TestBenchAccountsForWhatWasSentWhenInterrupted(t *testing.T) {
	t.Parallel()
	taken := make(chan struct{}, 1)
	broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		select {
		case taken <- struct{}{}:
		default:
		}
	}))
	defer broker.Close()
	p := start(t, "bench", built.kn, "bench", "--target", broker.URL, "--triggers", "0", "--rate", "100", "--duration", "10m")
	<-taken
	if code := p.terminate(20 * time.Second); code != 0 || !strings.Contains(p.output.String(), "accepted") {
		t.Errorf("exit code %d\n%s", code, p.output)
	}
}

// A Broker that says it has taken events, and has not.
func TestBenchFindsLostEvents(t *testing.T) {
	t.Parallel()
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	defer liar.Close()
	r, code := runBench(t, "--count", "100", "--target", liar.URL, "--subscriber-listen", "127.0.0.1:0", "--patience", "100ms", "--window", "0")
	if code != 1 || r.Accepted != 100 || r.Lost != 100 {
		t.Errorf("exit code %d, %+v", code, r)
	}
}
