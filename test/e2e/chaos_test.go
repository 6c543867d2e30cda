package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	chaosRate   = 250 // events a second
	chaosEvents = 3000
	// every chaosRefused-th event is refused by the second Trigger's subscriber for good.
	chaosRefused = 50
	// chaosTriggers take every event, beside the picky one.
	chaosTriggers = 4
)

// receiver counts the events that a subscriber or dead letter sink has accepted, by id.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	ids map[string]int
}

// receive starts a receiver that answers what status says, 200 if it is nil.
func receive(t *testing.T, status func(id string) int) *receiver {
	r := &receiver{ids: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		id := request.Header.Get("ce-id")
		if status != nil && status(id) != http.StatusOK {
			w.WriteHeader(status(id))
			return
		}
		r.mu.Lock()
		r.ids[id]++
		r.mu.Unlock()
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) counts() (events, requests int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.ids {
		requests += n
	}
	return len(r.ids), requests
}

func (r *receiver) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ids[id] > 0
}

func refused(i int) bool { return i%chaosRefused == 0 }

func eventID(i int) string {
	if refused(i) {
		return fmt.Sprintf("refused-%d", i)
	}
	return fmt.Sprintf("event-%d", i)
}

// TestKilledProcessesLoseNothing kills an ingress, a filter and the nats-server in mid-stream, as a crash does, and
// accounts for every event that was accepted.
func TestKilledProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	var all [chaosTriggers]*receiver
	for n := range all {
		all[n] = receive(t, nil)
	}
	picky := receive(t, func(id string) int {
		if strings.HasPrefix(id, "refused-") {
			return http.StatusBadRequest
		}
		return http.StatusOK
	})
	dead := receive(t, nil)
	c := startCluster(t, chaosResources(all[:], picky, dead))

	accepted := make(chan []string)
	go func() { accepted <- c.send(t) }()
	c.after(t, chaosEvents/6, func() { c.ingress[0].kill(); c.ingress[0].start() })
	c.after(t, 2*chaosEvents/6, func() { c.filter[0].kill(); c.filter[0].start() })
	c.after(t, 3*chaosEvents/6, func() { c.nats.kill(); c.nats.start() })
	c.after(t, 5*chaosEvents/6, func() { c.filter[1].kill(); c.filter[1].start() })
	ids := <-accepted
	if len(ids) < chaosEvents*9/10 {
		t.Fatalf("only %d of %d events were accepted", len(ids), chaosEvents)
	}

	lost := func() error {
		for _, id := range ids {
			for n, r := range all {
				if !r.has(id) {
					return fmt.Errorf("%s is not delivered to subscriber %d", id, n)
				}
			}
			switch {
			case strings.HasPrefix(id, "refused-") && !dead.has(id):
				return fmt.Errorf("%s is not dead-lettered", id)
			case !strings.HasPrefix(id, "refused-") && !picky.has(id):
				return fmt.Errorf("%s is not delivered to the picky subscriber", id)
			}
		}
		return nil
	}
	eventually(t, 90*time.Second, "every accepted event is delivered or dead-lettered", lost)
	delivered, requests := 0, 0
	for _, r := range all {
		d, n := r.counts()
		delivered, requests = delivered+d, requests+n
	}
	kept, _ := picky.counts()
	deadLetters, _ := dead.counts()
	t.Logf("sent %d, accepted %d, delivered %d to all (%d repeated), picky: delivered %d + dead-lettered %d, lost 0",
		chaosEvents, len(ids), delivered, requests-delivered, kept, deadLetters)
}

// chaosResources are a Broker with more Triggers than have consumers of their own: some of them share one.
func chaosResources(all []*receiver, picky, dead *receiver) string {
	manifest := fmt.Sprintf(chaosManifest, picky.URL, dead.URL)
	for n, r := range all {
		manifest += fmt.Sprintf(chaosTrigger, n, r.URL)
	}
	return manifest
}

const chaosTrigger = `
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: all-%d}
spec:
  broker: default
  subscriber: {uri: "%s"}
`

const chaosManifest = `
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, annotations: {eventing.knative.dev/broker.class: NatsJetStreamBroker}}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: picky}
spec:
  broker: default
  filters: [{suffix: {type: haos}}]
  subscriber: {uri: "%s"}
  delivery:
    retry: 2
    deadLetterSink: {uri: "%s"}
`

// cluster is a nats-server with two ingress and two filter processes.
type cluster struct {
	nats              *process
	ingress, filter   []*process
	urls              []string
	natsURL, manifest string

	mu   sync.Mutex
	sent int
	step chan struct{}
}

func startCluster(t *testing.T, manifest string) *cluster {
	t.Helper()
	port, store := freePort(t), t.TempDir()
	url := "nats://127.0.0.1:" + port
	c := &cluster{
		nats:    start(t, "nats-server", built.natsServer, "-js", "-a", "127.0.0.1", "-p", port, "-sd", store),
		natsURL: url, step: make(chan struct{}),
	}
	file := filepath.Join(t.TempDir(), "routes.yaml")
	c.manifest = file
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Log(run(t, built.kn, "apply", "-f", file, "--nats", url))
	for i := range 2 {
		listen, probe := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
		c.urls = append(c.urls, "http://"+listen+"/default/default")
		c.ingress = append(c.ingress, start(t, fmt.Sprint("ingress ", i), built.ingress,
			"--nats", url, "--listen", listen, "--probe-listen", probe, "--url", "http://"+listen))
		eventually(t, 20*time.Second, "ingress is ready", ready(probe))
		probe = "127.0.0.1:" + freePort(t)
		c.filter = append(c.filter, start(t, fmt.Sprint("filter ", i), built.filter, "--nats", url, "--probe-listen", probe))
		eventually(t, 20*time.Second, "filter is ready", ready(probe))
	}
	return c
}

// after runs the blow once so many events have been sent.
func (c *cluster) after(t *testing.T, sent int, blow func()) {
	t.Helper()
	for {
		c.mu.Lock()
		reached, step := c.sent >= sent, c.step
		c.mu.Unlock()
		if reached {
			blow()
			return
		}
		select {
		case <-step:
		case <-t.Context().Done():
			t.Fatal("the test ended before its time")
		}
	}
}

// send posts the events at chaosRate, each to one of the two ingresses, again to the other until one accepts it, for 30 s
// at most. It returns the ids of those that were accepted.
func (c *cluster) send(t *testing.T) []string {
	var sending sync.WaitGroup
	var mu sync.Mutex
	var ids []string
	tick := time.NewTicker(time.Second / chaosRate)
	defer tick.Stop()
	for i := range chaosEvents {
		<-tick.C
		sending.Go(func() {
			if c.post(t.Context(), i) {
				mu.Lock()
				ids = append(ids, eventID(i))
				mu.Unlock()
			}
		})
		c.mu.Lock()
		c.sent++
		close(c.step)
		c.step = make(chan struct{})
		c.mu.Unlock()
	}
	sending.Wait()
	return ids
}

func (c *cluster) post(ctx context.Context, i int) bool {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for try := 0; ctx.Err() == nil; try++ {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.urls[(i+try)%2], bytes.NewReader(make([]byte, 1000)))
		if err != nil {
			return false
		}
		for name, value := range map[string]string{
			"ce-specversion": "1.0", "ce-type": "chaos", "ce-source": "/e2e", "ce-id": eventID(i), "content-type": "application/octet-stream",
		} {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusAccepted {
				return true
			}
		}
		timer := time.NewTimer(100 * time.Millisecond) // the producer's own back-off
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return false
}
