package simulate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// world is everything of one seed. Only the goroutine of the test starts and ends processes.
type world struct {
	t       *testing.T
	rng     *rand.Rand // of that goroutine
	seed    uint64
	planted string
	plan    plan
	names   naming.Names
	history *history
	targets []*target
	stores  []string
	// processes are those of the broker; observer is the connection of the simulation itself, which
	// no fault but NATS's cuts.
	processes []*process
	observer  *wires
	mending   sync.WaitGroup
	// read is up to where the dead-letter stream of each address was read. Only who observes uses it.
	read   map[route.Key]uint64
	bursts int
	anew   bool // a target was made anew after its grace period

	mu     sync.Mutex // guards what follows, and what the targets say is guarded by it
	random *rand.Rand // of the subscribers
	nats   *server.Server
	hosts  map[string]*listener
}

// process is a filter, an ingress or an owner.
type process struct {
	name  string
	wires *wires
	stop  func()
	again func(name string) *process
}

// run starts a process with these loops.
func run(p process, closeClient func(), drain func(context.Context), loops ...func(context.Context)) *process {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, loop := range loops {
		running.Go(func() { loop(ctx) })
	}
	p.stop = func() {
		cancel()
		running.Wait()
		soon, end := context.WithTimeout(context.Background(), time.Second)
		defer end()
		drain(soon)
		closeClient()
	}
	return &p
}

// provider makes connections to NATS. It is a nats.InProcessConnProvider.
type provider struct {
	w     *world
	wires *wires
}

func (p provider) InProcessConn() (net.Conn, error) {
	p.w.mu.Lock()
	nats := p.w.nats
	p.w.mu.Unlock()
	return p.wires.link(nats.InProcessConn())
}

func (w *world) startNATS(store string) {
	nats, err := server.NewServer(&server.Options{
		ServerName: "simulated", DontListen: true, JetStream: true, StoreDir: store, NoLog: true, NoSigs: true,
	})
	w.must(err)
	nats.Start()
	if !nats.ReadyForConnections(time.Minute) {
		w.t.Fatal("nats-server does not come up")
	}
	w.mu.Lock()
	w.nats = nats
	w.mu.Unlock()
}

// killNATS starts a new server on what the store of the old one holds now, and ends that unheard.
// The copy is made when nothing moves: it takes files one after the other, and would else be of
// several moments.
func (w *world) killNATS() {
	cut := []*wires{w.observer}
	for _, p := range w.processes {
		cut = append(cut, p.wires)
	}
	for _, lines := range cut {
		lines.cut()
	}
	pass(time.Millisecond)
	next := w.t.TempDir()
	w.must(os.CopyFS(next, os.DirFS(w.stores[len(w.stores)-1])))
	w.stores = append(w.stores, next)
	w.nats.Shutdown()
	w.nats.WaitForShutdown()
	w.startNATS(next)
	for _, lines := range cut {
		lines.mend()
	}
}

func (w *world) host(address string) *listener {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hosts[address]
}

func (w *world) listen(address string, l *listener) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[address] = l
}

// pass lets virtual time pass. It is the only sleep here: in a bubble a time is a date in the
// schedule, and nobody waits for it.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the time of a synctest bubble
}

// rest lets virtual time pass until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// until reports whether the condition comes to hold within the virtual time.
func until(end time.Duration, condition func() bool) bool {
	for deadline := time.Now().Add(end); !condition(); pass(time.Second) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(fmt.Errorf("the simulation itself: %w", err))
	}
}
