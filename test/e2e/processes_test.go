// Package e2e runs the programs as a user does: as processes, against a nats-server of its own, on loopback.
package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// programs are the binaries under test.
type programs struct{ natsServer, ingress, filter, kn string }

// built is what TestMain built, once for all tests.
var built programs

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	// The tests that run in parallel wait for NATS, back-offs and leases most of the time: more of them than CPUs. Each has up to eight
	// processes, though: with more of them yet, two cores take seconds for what is to take milliseconds.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = programs{
		natsServer: filepath.Join(dir, "nats-server"), ingress: filepath.Join(dir, "ingress"),
		filter: filepath.Join(dir, "filter"), kn: filepath.Join(dir, "kn-jetstream"),
	}
	for _, program := range []struct {
		out, pkg string
		race     bool
	}{
		{built.natsServer, "github.com/nats-io/nats-server/v2", false}, // its races are not ours to find
		{built.ingress, "github.com/eventing-jetstream/eventing-jetstream/cmd/ingress", raceEnabled},
		{built.filter, "github.com/eventing-jetstream/eventing-jetstream/cmd/filter", raceEnabled},
		{built.kn, "github.com/eventing-jetstream/eventing-jetstream/cmd/kn-jetstream", raceEnabled},
	} {
		build := exec.Command("go", "build", "-race="+strconv.FormatBool(program.race), "-o", program.out, program.pkg) //nolint:gosec // our own
		if output, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build %s: %v\n%s", program.pkg, err, output)
			return 1
		}
	}
	return m.Run()
}

// dependOnSources opens every folder of the programs' sources. go test takes a pass from its cache when the files are the same
// that a test has opened itself, and it does not see what the go build of TestMain reads.
func dependOnSources(t *testing.T) {
	t.Helper()
	for _, root := range []string{"../../cmd", "../../pkg", "../../go.mod"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				_, err = os.ReadDir(path)
			} else if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// process is one running program. It is killed when the test ends, if it still runs.
type process struct {
	t    *testing.T
	name string
	argv []string

	cmd    *exec.Cmd
	output *lockedBuffer
	done   chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t *testing.T, name string, argv ...string) *process {
	t.Helper()
	dependOnSources(t)
	p := &process{t: t, name: name, argv: argv, output: &lockedBuffer{}}
	p.start()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, p.output)
		}
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	// The kernel ends it if the test binary is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", p.name, err)
	}
	p.cmd, p.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		_ = cmd.Wait() // killed on purpose
		close(done)
	}(p.done)
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// terminate asks the process to stop, and returns its exit code.
func (p *process) terminate(within time.Duration) int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatalf("signal %s: %v", p.name, err)
	}
	select {
	case <-p.done:
	case <-time.After(within):
		p.t.Fatalf("%s did not stop within %s\n%s", p.name, within, p.output)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Ports that are given to processes lie below those that the kernel gives to connections: none of these takes a port between the moment
// in which freePort finds it free and the start of the process.
const (
	firstPort = 20000
	portCount = 12000
)

// portsTried counts from a number at random: another run of the tests may be under way.
var portsTried = func() *atomic.Int64 {
	var n atomic.Int64
	n.Store(rand.Int64N(portCount)) //nolint:gosec // no secret
	return &n
}()

// freePort returns a port that nothing listens on, and that it has not returned before.
func freePort(t *testing.T) string {
	t.Helper()
	for range portCount {
		port := strconv.FormatInt(firstPort+portsTried.Add(1)%portCount, 10)
		if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// eventually waits until check returns nil. It pauses for as long as three checks take, and for a second at most, since many of them start
// a program: on a busy machine those would else be most of what runs.
func eventually(t *testing.T, within time.Duration, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	for {
		began := time.Now()
		err := check()
		if err == nil {
			return
		}
		if !wait(ctx, min(max(50*time.Millisecond, 3*time.Since(began)), time.Second)) {
			t.Fatalf("%s: not within %s: %v", what, within, err)
		}
	}
}

// ready asks a process's probe.
func ready(address string) func() error {
	return func() error {
		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+address+"/readyz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return nil
	}
}

// run runs a program to its end and returns what it printed.
func run(t *testing.T, argv ...string) string {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput() //nolint:gosec // the test's own program
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, output)
	}
	return string(output)
}
