package connection_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// world is a process that follows folders, and the NATS that it is on, which wants certificates.
type world struct {
	t         *testing.T
	ctx       context.Context
	authority *authority
	nats      *natstest.Server
	folders   config.NATSFolders
	client    *jetstream.Client
	log       *logBuffer
	restarted chan struct{}
	// greet, when there is one, is called with the name of whoever connects.
	greet atomic.Pointer[func(name string)]
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t *testing.T) *world { return newWorldWith(t, 0) }

// newWorldWith has a process that waits so long at most before it starts again.
func newWorldWith(t *testing.T, stagger time.Duration) *world {
	t.Helper()
	w := &world{t: t, authority: newAuthority(t), log: &logBuffer{}, restarted: make(chan struct{}, 1)}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	w.ctx = ctx
	w.nats = w.startNATS()
	w.folders = config.NATSFolders{Config: t.TempDir(), Credentials: t.TempDir()}
	w.mount(w.folders.Config, map[string]string{"url": w.nats.URL()})
	w.mount(w.folders.Credentials, w.authority.issue("first"))
	w.mount(w.folders.Credentials, map[string]string{"ca.crt": w.authority.pem})

	mounted, err := connection.Read(w.folders, "test")
	w.must(err)
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	w.client, err = jetstream.Connect(mounted.Options(logger))
	w.must(err)
	w.must(w.client.Wait(ctx))
	w.must(buckets.Ensure(ctx, w.client))
	following, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		mounted.Follow(following, connection.Follower{
			Client: w.client, Logger: logger, Restart: func() { w.restarted <- struct{}{} },
			Every: 10 * time.Millisecond, Trial: time.Second, Stagger: stagger,
		})
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
		w.client.Close()
	})
	return w
}

func (w *world) startNATS() *natstest.Server {
	return natstest.Start(w.t, func(o *server.Options) {
		o.TLS, o.TLSVerify, o.TLSConfig = true, true, w.authority.serverTLS()
		o.CustomClientAuthentication = w
	})
}

// Check lets everybody in who has come as far as this: who has a certificate of the authority.
func (w *world) Check(c server.ClientAuthentication) bool {
	if greet := w.greet.Load(); greet != nil {
		(*greet)(c.GetTLSConnectionState().PeerCertificates[0].Subject.CommonName)
	}
	return true
}

// mount writes files one after the other: what follows them sees the states in between, too.
func (w *world) mount(folder string, files map[string]string) {
	w.t.Helper()
	for name, text := range files {
		w.must(os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) await(what string, condition func() bool) {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			w.t.Fatalf("not in time: %s; log:\n%s", what, w.log)
		}
	}
}

// users are the names in the certificates of all connections to the NATS, with how many connections each has.
func (w *world) users() map[string]int {
	w.t.Helper()
	list, err := w.nats.NATS().Connz(&server.ConnzOptions{Username: true})
	w.must(err)
	users := map[string]int{}
	for _, c := range list.Conns {
		for _, certificate := range c.TLSPeerCerts {
			users[certificate.Subject]++
		}
	}
	return users
}

func (w *world) isOn(name string) bool {
	return w.client.Connected() && maps.Equal(w.users(), map[string]int{"CN=" + name: 2})
}

func TestRenewedCertificatesAreTakenOverAndNoEventIsRefused(t *testing.T) {
	w := newWorld(t)
	address := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "ns", Name: "orders"}, Log: route.Log{MaxBytes: 64 << 20}}
	_, err := owner.New(w.client, "test", time.Minute).PutAddress(w.ctx, address)
	w.must(err)
	sender, err := publish.NewSender(w.client)
	w.must(err)
	publisher := publish.New(w.client, sender)
	stop := make(chan struct{})
	var publishing sync.WaitGroup
	for p := range 4 {
		publishing.Go(func() {
			for n := 0; ; n++ {
				id := strconv.Itoa(p) + "." + strconv.Itoa(n)
				e := event.Event{Attributes: []event.Attribute{
					{Name: "specversion", Value: "1.0"}, {Name: "id", Value: id}, {Name: "source", Value: "/s"}, {Name: "type", Value: "t"},
				}}
				if stored, err := publisher.Publish(w.ctx, address, []ingress.Message{{ID: id, Event: e}}); err != nil || stored != 1 {
					t.Errorf("event %s is refused: %v", id, err)
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for _, name := range []string{"second", "third"} {
		w.mount(w.folders.Credentials, w.authority.issue(name))
		w.await("the "+name+" certificate is in use", func() bool { return w.isOn(name) })
	}
	close(stop)
	publishing.Wait()
	if len(w.restarted) > 0 {
		t.Error("the process is to be started again")
	}
}

func TestCredentialsThatDoNotWorkAreNotTakenOver(t *testing.T) {
	w := newWorld(t)
	w.mount(w.folders.Credentials, newAuthority(t).issue("stranger"))
	w.await("it says so", func() bool { return strings.Contains(w.log.String(), "does not work") })
	w.await("the trial has ended", func() bool { return w.isOn("first") })

	w.mount(w.folders.Credentials, w.authority.issue("second"))
	w.await("credentials that work are taken over", func() bool { return w.isOn("second") })
}

func TestAnotherNATSIsANewStartOnceItCanBeReached(t *testing.T) {
	w := newWorld(t)
	other := w.startNATS()
	other.Stop()
	w.mount(w.folders.Config, map[string]string{"url": other.URL()})
	w.await("it says that the other NATS is away", func() bool { return strings.Contains(w.log.String(), "does not work") })
	if !w.isOn("first") || len(w.restarted) > 0 {
		t.Error("it has given up the NATS that it is on")
	}
	other.Restart()
	w.isRestarted()
}

func (w *world) isRestarted() {
	w.t.Helper()
	select {
	case <-w.restarted:
	case <-w.ctx.Done():
		w.t.Errorf("no new start; log:\n%s", w.log)
	}
}

// Replicas wait for each other because they still serve. One that NATS has left serves nobody.
func TestWhoIsOfNoUseStartsAgainAtOnce(t *testing.T) {
	w := newWorldWith(t, 24*time.Hour)
	other := w.startNATS()
	w.mount(w.folders.Config, map[string]string{"url": other.URL()})
	w.await("it has seen the change", func() bool { return strings.Contains(w.log.String(), "ending soon") })
	w.nats.Stop()
	w.isRestarted()
}

// Credentials for another NATS must not be taken to this one.
func TestAChangeDuringATrialIsTakenAsAWhole(t *testing.T) {
	w := newWorld(t)
	other := w.startNATS()
	move := sync.OnceFunc(func() {
		if err := os.WriteFile(filepath.Join(w.folders.Config, "url"), []byte(other.URL()), 0o600); err != nil {
			t.Error(err)
		}
	})
	greet := func(name string) {
		if name == "second" {
			move()
		}
	}
	w.greet.Store(&greet)
	w.mount(w.folders.Credentials, w.authority.issue("second"))
	w.isRestarted()
	if strings.Contains(w.log.String(), "renewed") {
		t.Errorf("it has connected again where it was:\n%s", w.log)
	}
	w.await("it stays where it was until then", func() bool { return w.isOn("first") })
}
