package simulate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/dataplane"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/deliver"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// subscriber is a target, with how it behaves.
type subscriber struct {
	name, kind string // kind is the type of events that it wants; "" all
	retry      int
	fails      float64 // how often it answers 503
	lost       float64 // how often its answer is lost, after the event has arrived
}

// world is everything of one seed. Only one goroutine, the test's, injects faults.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	planted string
	history *history
	stores  []string
	hosts   map[string]*listener

	mu     sync.Mutex // guards what follows
	random *rand.Rand // of the subscribers
	nats   *server.Server
}

// process is a filter or an ingress.
type process struct {
	name   string
	wires  *wires
	client *jetstream.Client
	stop   func()
}

// InProcessConn makes it a nats.InProcessConnProvider.
type provider struct {
	w     *world
	wires *wires
}

func (p provider) InProcessConn() (net.Conn, error) {
	p.w.mu.Lock()
	nats := p.w.nats
	p.w.mu.Unlock()
	return p.wires.add(nats.InProcessConn())
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
func (w *world) killNATS(all []*process) {
	for _, p := range all {
		p.wires.cut(true)
	}
	old := w.nats
	next := w.t.TempDir()
	w.must(os.CopyFS(next, os.DirFS(w.stores[len(w.stores)-1])))
	w.stores = append(w.stores, next)
	old.Shutdown()
	old.WaitForShutdown()
	w.startNATS(next)
	for _, p := range all {
		p.wires.cut(false)
	}
}

func (w *world) connect(name string) (*jetstream.Client, *wires) {
	names, err := naming.New("kn")
	w.must(err)
	lines := &wires{}
	client, err := jetstream.Connect(jetstream.Options{
		InProcess: provider{w, lines}, Name: name, Names: names, Logger: slog.New(slog.DiscardHandler),
	})
	w.must(err)
	w.must(client.Wait(context.Background()))
	return client, lines
}

func (w *world) startFilter(name string) *process {
	client, lines := w.connect(name)
	f, err := dataplane.NewFilter(dataplane.FilterConfig{
		Client: client, Logger: slog.New(slog.DiscardHandler), Budget: 64 << 20, ID: name,
		Deliver: deliver.Config{Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
			return lines.add(w.hosts[address].dial(ctx))
		}},
	})
	w.must(err)
	return run(process{name: name, wires: lines, client: client}, f.Run, f.Drain)
}

func (w *world) startIngress(name string) *process {
	client, lines := w.connect(name)
	i := dataplane.NewIngress(dataplane.IngressConfig{
		Client: client, URL: "http://ingress", Budget: 64 << 20, Logger: slog.New(slog.DiscardHandler), ID: name,
	})
	l := newListener()
	w.hosts["ingress:80"] = l
	s := dataplane.NewServer(i, l)
	go func() { _ = s.Serve() }()
	return run(process{name: name, wires: lines, client: client}, i.Run, s.Drain)
}

func run(p process, loop, drain func(context.Context)) *process {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); loop(ctx) }()
	p.stop = func() {
		cancel()
		<-done
		soon, end := context.WithTimeout(context.Background(), time.Second)
		defer end()
		drain(soon)
		p.client.Close()
	}
	return &p
}

// serve is a subscriber, or with dead its dead letter sink.
func (w *world) serve(s subscriber, dead bool) func() {
	l := newListener()
	host := s.name + ":80"
	if dead {
		host = "dead-" + host
	}
	w.hosts[host] = l
	h := &http.Server{ReadHeaderTimeout: time.Hour, Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("Ce-Id")
		_, _ = io.Copy(io.Discard, r.Body)
		w.mu.Lock()
		fails, lost := w.random.Float64() < s.fails, w.random.Float64() < s.lost
		w.mu.Unlock()
		switch {
		case dead:
			w.history.note(id, func(r *record) { r.dead[s.name]++ }, "dead letter of %s", s.name)
		case w.planted == "acknowledged before delivery" && id == "event-7":
		case fails:
			w.history.note(id, func(*record) {}, "%s answers 503", s.name)
			out.WriteHeader(http.StatusServiceUnavailable)
		case lost:
			w.history.fault("an answer of %s is lost", s.name)
			w.history.note(id, func(r *record) { r.delivered[s.name]++ }, "%s has it, but its answer is lost", s.name)
			panic(http.ErrAbortHandler) //nolint:forbidigo // how net/http breaks off an answer
		default:
			w.history.note(id, func(r *record) { r.delivered[s.name]++ }, "%s takes it", s.name)
		}
	})}
	go func() { _ = h.Serve(l) }()
	return func() { _ = h.Close() }
}

func (w *world) route(owner *owner.Owner, subscribers []subscriber) {
	key := route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}
	_, err := owner.PutAddress(context.Background(), route.Address{Key: key, Log: route.Log{MaxBytes: 8 << 20}})
	w.must(err)
	for _, s := range subscribers {
		t := route.Target{
			Key:        route.TargetKey{Address: key, Namespace: "shop", Name: s.name},
			Subscriber: &route.Destination{URL: "http://" + s.name + "/"}, DeadLetter: &route.Destination{URL: "http://dead-" + s.name + "/"},
			Delivery: delivery.Policy{Retry: s.retry, Backoff: delivery.ExponentialBackoff, Delay: time.Second, Timeout: 20 * time.Second},
		}
		if s.kind != "" && w.planted != "filter ignored" {
			t.Filter = filter.Spec{Attributes: map[string]string{"type": s.kind}}
		}
		_, err := owner.PutTarget(context.Background(), t)
		w.must(err)
	}
}

// post sends an event until it is accepted.
func (w *world) post(client *http.Client, id, kind string) {
	for range 200 {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://ingress/shop/orders", bytes.NewReader([]byte(id)))
		w.must(err)
		for name, value := range map[string]string{"Specversion": "1.0", "Id": id, "Source": "/simulate", "Type": kind} {
			r.Header.Set("Ce-"+name, value)
		}
		answer, err := client.Do(r)
		if err != nil {
			w.history.note(id, func(r *record) { r.kind = kind }, "no answer: %v", err)
		} else {
			_ = answer.Body.Close()
			ok := answer.StatusCode == http.StatusAccepted
			w.history.note(id, func(r *record) { r.kind, r.accepted = kind, r.accepted || ok }, "answered %d", answer.StatusCode)
			if ok {
				return
			}
			if answer.StatusCode != http.StatusAccepted && strings.HasPrefix(answer.Status, "5") {
				w.history.fault("the ingress answers %d", answer.StatusCode)
			}
		}
		pass(time.Second)
	}
}

// ready reports whether so many targets are there and ready.
func (w *world) ready(client *jetstream.Client, targets int) bool {
	all, err := status.Read(context.Background(), client)
	if err != nil || len(status.Targets) != targets {
		return false
	}
	for _, t := range status.Targets {
		if !t.Ready {
			return false
		}
	}
	return true
}

// pass lets virtual time pass. It is the only sleep here: in a bubble a time is a date in the schedule, and nobody waits for it.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the time of a synctest bubble
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
