package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// serversRate is how many events of 500 bytes are posted in a second while servers are killed.
const serversRate = 250

// servers are three nats-servers that are one NATS.
type servers struct {
	processes []*process
	urls      []string
	js        jetstream.JetStream
}

func startServers(t *testing.T) *servers {
	t.Helper()
	s := &servers{}
	var ports, routes []string
	for range 3 {
		port := freePort(t)
		ports = append(ports, port)
		routes = append(routes, "nats://127.0.0.1:"+port)
	}
	for n, port := range ports {
		client, name := freePort(t), fmt.Sprint("nats-server-", n)
		s.urls = append(s.urls, "nats://127.0.0.1:"+client)
		s.processes = append(s.processes, start(t, name, built.natsServer, "-js", "-a", "127.0.0.1", "-p", client, "-sd", t.TempDir(), "-n", name,
			"-cluster_name", "three", "-cluster", "nats://127.0.0.1:"+port, "-routes", strings.Join(routes, ",")))
	}
	conn, err := nats.Connect(strings.Join(s.urls, ","), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if s.js, err = jetstream.New(conn); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "three nats-servers have a leader", func() error {
		_, err := s.js.AccountInfo(t.Context())
		return err
	})
	return s
}

// current is nil when all three have all of the stream.
func (s *servers) current(t *testing.T, stream string) error {
	handle, err := s.js.Stream(t.Context(), stream)
	if err != nil {
		return err
	}
	cluster := handle.CachedInfo().Cluster
	if cluster == nil || cluster.Leader == "" || len(cluster.Replicas) != 2 {
		return fmt.Errorf("the stream is on %+v", cluster)
	}
	for _, replica := range cluster.Replicas {
		if !replica.Current || replica.Offline {
			return fmt.Errorf("%s is behind", replica.Name)
		}
	}
	return nil
}

// ids reads how often each event is in the stream.
func (s *servers) ids(t *testing.T, stream string) map[string]int {
	t.Helper()
	consumer, err := s.js.OrderedConsumer(t.Context(), stream, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	info, err := consumer.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	ids := map[string]int{}
	for range info.NumPending {
		m, err := messages.Next()
		if err != nil {
			t.Fatal(err)
		}
		ids[m.Headers().Get("ce-id")]++
	}
	return ids
}

// TestEachServerOfThreeIsKilled kills each server of a NATS with three replicas in turn, while events are posted: none is lost, and none is
// refused because others wait. A sender repeats one only when NATS has elected no leader within the time that a publish has.
func TestEachServerOfThreeIsKilled(t *testing.T) {
	t.Parallel()
	s := startServers(t)
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(manifest(brokerOf("default", "", "replicas", "3"))), 0o600); err != nil {
		t.Fatal(err)
	}
	url := strings.Join(s.urls, ",")
	t.Log(run(t, built.kn, "apply", "-f", file, "--nats", url))
	listen := "127.0.0.1:" + freePort(t)
	startPart(t, built.ingress, url, "--listen", listen)

	sender := &steady{url: "http://" + listen + "/default/default", client: h2c(t)}
	sender.start(t)
	const log = "kn_log_broker_default_default"
	for _, server := range s.processes {
		server.kill()
		sender.more(t, 3*serversRate)
		server.start()
		eventually(t, 60*time.Second, "all servers have the log", func() error { return s.current(t, log) })
		sender.more(t, serversRate)
	}
	events := sender.stop()
	ids := s.ids(t, log)
	for id := range events {
		if ids[fmt.Sprint(id)] == 0 {
			t.Errorf("event %d is lost", id)
		}
	}
	t.Logf("%d events, %d answered with 503", events, sender.unavailable.Load())
}

// steady posts events at serversRate, each in its time, and does not wait for answers in between.
type steady struct {
	url    string
	client *http.Client

	end   chan struct{}
	ended chan struct{}
	posts sync.WaitGroup

	unavailable atomic.Int64

	mu   sync.Mutex
	sent int
}

func (s *steady) start(t *testing.T) {
	s.end, s.ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(s.ended)
		tick := time.NewTicker(time.Second / serversRate)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.post(t)
			case <-s.end:
				return
			}
		}
	}()
}

func (s *steady) post(t *testing.T) {
	s.mu.Lock()
	id := s.sent
	s.sent++
	s.mu.Unlock()
	s.posts.Go(func() {
		post := func() (answered, error) {
			return call{client: s.client, url: s.url, header: event("t", fmt.Sprint(id)), body: strings.NewReader(big(500))}.try(t)
		}
		got, err := post()
		for got.status == http.StatusServiceUnavailable {
			s.unavailable.Add(1)
			got, err = post()
		}
		if err != nil || got.status != http.StatusAccepted {
			t.Errorf("event %d: status %d, error %v, want 202: %s", id, got.status, err, got.body)
		}
	})
}

// more waits until so many more events are sent.
func (s *steady) more(t *testing.T, events int) {
	t.Helper()
	sent := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.sent
	}
	until := sent() + events
	eventually(t, 60*time.Second, "events are sent", func() error {
		if sent() < until {
			return errors.New("not yet")
		}
		return nil
	})
}

// stop waits for all answers, and returns how many events were sent.
func (s *steady) stop() int {
	close(s.end)
	<-s.ended
	s.posts.Wait()
	return s.sent
}
