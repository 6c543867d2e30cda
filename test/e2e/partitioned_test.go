package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	manifests "github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// edited is a Trigger as it is now: which type it takes, and how often it has got another subscriber.
type edited struct {
	name, eventType string
	generation      int
}

// partitioned is an installation of two filters and one ingress, each behind a link of its own to the NATS, and of a Broker whose
// owner is the test.
type partitioned struct {
	t       *testing.T
	filters []*process
	// links are those of the filters, in their order, and then that of the ingress.
	links  []*link
	url    string
	client *jetstream.Client
	owner  *owner.Owner
	got    *arrivals
	// maxInFlight is what each Trigger allows.
	maxInFlight int
}

// partitionGrace is how long the cursors of Triggers are kept that were removed.
const partitionGrace = 2 * time.Second

func startPartitioned(t *testing.T) *partitioned {
	t.Helper()
	port := freePort(t)
	start(t, "nats-server", built.natsServer, "-js", "-a", "127.0.0.1", "-p", port, "-sd", t.TempDir())
	names, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	p := &partitioned{t: t, got: newArrivals(t), maxInFlight: 100}
	p.client, err = jetstream.Connect(jetstream.Options{URL: "nats://127.0.0.1:" + port, Names: names, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.client.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := errors.Join(p.client.Wait(ctx), buckets.Ensure(ctx, p.client)); err != nil {
		t.Fatal(err)
	}
	p.owner = owner.New(p.client, "tests", partitionGrace)
	if err := manifests.Put(ctx, p.owner, p.load("")); err != nil {
		t.Fatal(err)
	}
	link := func() string {
		p.links = append(p.links, startLink(t, "127.0.0.1:"+port))
		return "nats://" + p.links[len(p.links)-1].address
	}
	for range 2 {
		filter, _ := startPart(t, built.filter, link())
		p.filters = append(p.filters, filter)
	}
	listen := "127.0.0.1:" + freePort(t)
	startPart(t, built.ingress, link(), "--listen", listen)
	p.url = "http://" + listen + "/default/default"
	p.sweep()
	return p
}

// sweep sweeps until the test ends.
func (p *partitioned) sweep() {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { p.owner.RunSweeps(ctx, time.Second) })
	p.t.Cleanup(func() { cancel(); running.Wait() })
}

// load reads a file with the Broker and one Trigger, if there is one.
func (p *partitioned) load(trigger string) manifests.Desired {
	p.t.Helper()
	b := brokerOf("default", "{delivery: {retry: 100, backoffPolicy: linear, backoffDelay: PT0.2S}}").String()
	if trigger != "" {
		b += "---\n" + trigger
	}
	file := filepath.Join(p.t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(b), 0o600); err != nil {
		p.t.Error(err)
	}
	resources, err := manifests.Load([]string{file}, manifests.LoadOptions{})
	if err != nil {
		p.t.Error(err)
		return manifests.Desired{}
	}
	return resources.Desired()
}

func (p *partitioned) target(e edited) route.Target {
	b := resource{namespace: "default", name: "default"}
	uri := fmt.Sprintf("%s/%s/%d", p.got.URL, e.name, e.generation)
	r := triggerOf(b, e.name, uri, "filter: {attributes: {type: "+e.eventType+"}}")
	r.annotations = map[string]string{"jetstream.eventing.knative.dev/max-in-flight": strconv.Itoa(p.maxInFlight)}
	d := p.load(r.String())
	return d.Targets[0]
}

func (p *partitioned) put(ctx context.Context, e edited) error {
	_, err := p.owner.PutTarget(ctx, p.target(e))
	return err
}

func (p *partitioned) remove(ctx context.Context, e edited) error {
	return p.owner.RemoveTarget(ctx, p.target(e).Key)
}

// ready returns nil when the Trigger is ready, as kn-jetstream get shows it.
func (p *partitioned) ready(ctx context.Context, name string) error {
	all, err := status.Read(ctx, p.client)
	if err != nil {
		return err
	}
	for _, s := range all.Targets {
		if s.Key.Name == name && s.Ready {
			return nil
		} else if s.Key.Name == name {
			return fmt.Errorf("%s is not ready: %s", name, s.Reason)
		}
	}
	return fmt.Errorf("%s is not there", name)
}

// arrivals are the subscribers of all Triggers: the path says of which one, and of which generation.
type arrivals struct {
	*httptest.Server
	mu sync.Mutex
	by map[string]map[string]arrival // by Trigger and event
	// latency is how long a subscriber takes for its answer.
	latency time.Duration
	// held is closed when requests are answered again; nil while they are answered at once.
	held chan struct{}
}

// arrival is how often an event has come to a Trigger's subscribers, and what the latest generation is that it came to.
type arrival struct{ times, generation int }

func newArrivals(t *testing.T) *arrivals {
	a := &arrivals{by: map[string]map[string]arrival{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		trigger, text, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		generation, _ := strconv.Atoi(text)
		a.think(r.Context())
		a.note(trigger, r.Header.Get("ce-id"), generation)
	}))
	t.Cleanup(a.Close)
	return a
}

// think takes the time that an answer takes.
func (a *arrivals) think(ctx context.Context) {
	a.mu.Lock()
	held, latency := a.held, a.latency
	a.mu.Unlock()
	if held == nil {
		wait(ctx, latency)
		return
	}
	select {
	case <-held:
	case <-ctx.Done():
	}
}

// takes sets how long an answer takes.
func (a *arrivals) takes(latency time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.latency = latency
}

// hold leaves requests without an answer until the function that it returns is called.
func (a *arrivals) hold() (answer func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	held := make(chan struct{})
	a.held = held
	return sync.OnceFunc(func() { close(held) })
}

func (a *arrivals) note(trigger, id string, generation int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by[trigger] == nil {
		a.by[trigger] = map[string]arrival{}
	}
	before := a.by[trigger][id]
	a.by[trigger][id] = arrival{before.times + 1, max(before.generation, generation)}
}

// has reports whether the event has come to the Trigger's subscriber of this generation, or of a later one.
func (a *arrivals) has(trigger, id string, generation int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	got := a.by[trigger][id]
	return got.times > 0 && got.generation >= generation
}

// repeated counts the requests beyond the first for an event and Trigger.
func (a *arrivals) repeated() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, events := range a.by {
		for _, got := range events {
			n += got.times - 1
		}
	}
	return n
}
