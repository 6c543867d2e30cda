package embedded

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func start(t *testing.T, store string) *Server {
	t.Helper()
	s, err := Start(t.Context(), Options{Store: store, Holder: "process 4711 of the tests"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func connect(t *testing.T, url string, options ...nats.Option) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	conn, err := nats.Connect(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return conn, js
}

func TestASecondStartOnTheStoreSaysWhoHoldsIt(t *testing.T) {
	store := t.TempDir()
	first := start(t, store)
	_, err := Start(t.Context(), Options{Store: store, Holder: "another"})
	if !errors.Is(err, ErrStoreInUse) || !strings.Contains(err.Error(), "process 4711 of the tests") {
		t.Errorf("error %v, want ErrStoreInUse that names the holder", err)
	}
	if _, err := os.Stat(URLFile(store)); err != nil {
		t.Errorf("the refused start has removed the URL: %v", err)
	}
	connect(t, first.URL()) // the first goes on
	first.Stop()
	start(t, store)
}

func TestARestartKeepsEvents(t *testing.T) {
	store := t.TempDir()
	s := start(t, store)
	_, js := connect(t, s.URL())
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "LOG", Subjects: []string{"log.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "log.a", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	s.Stop() // as often as anyone likes

	_, js = connect(t, start(t, store).URL())
	stream, err := js.Stream(t.Context(), "LOG")
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetMsg(t.Context(), 1)
	if err != nil || string(m.Data) != "kept" {
		t.Errorf("got %+v, error %v", m, err)
	}
}

func TestTheURLIsForItsOwnerOnlyAndGoesWithTheServer(t *testing.T) {
	store := t.TempDir()
	// A process that was killed has left its URL behind, and somebody has opened it to all.
	if err := os.WriteFile(URLFile(store), []byte("nats://old"), 0o644); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	s := start(t, store)
	info, err := os.Stat(URLFile(store))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its permissions are %v, error %v; want 0600", info.Mode().Perm(), err)
	}
	url, err := os.ReadFile(URLFile(store))
	if err != nil || string(bytes.TrimSpace(url)) != s.URL() || !strings.HasPrefix(s.URL(), "nats://") {
		t.Errorf("it holds %q, error %v; want %q", url, err, s.URL())
	}
	for _, name := range []string{"lock", "lock.holder"} {
		if info, err := os.Stat(filepath.Join(store, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: permissions %v, error %v; want 0600", name, info.Mode().Perm(), err)
		}
	}
	s.Stop()
	if _, err := os.Stat(URLFile(store)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Stop it is still there: %v", err)
	}
}

func TestWithoutTheTokenNobodyConnects(t *testing.T) {
	s := start(t, t.TempDir())
	_, address, _ := strings.Cut(s.URL(), "@")
	for _, url := range []string{"nats://" + address, "nats://wrong@" + address} {
		if conn, err := nats.Connect(url); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("%s: connection %v, error %v; want an authorization error", url, conn, err)
		}
	}
	host, _, _ := strings.Cut(address, ":")
	if host != "127.0.0.1" {
		t.Errorf("it listens on %s, want the loopback interface only", host)
	}
	if other := start(t, t.TempDir()); other.URL() == s.URL() {
		t.Error("two servers have the same token and port")
	}
}

func TestItsOwnProcessConnectsWithoutASocket(t *testing.T) {
	s := start(t, t.TempDir())
	conn, js := connect(t, s.URL(), nats.InProcessServer(s))
	if address := conn.ConnectedAddr(); !strings.Contains(address, "pipe") {
		t.Errorf("connected to %q, want a pipe", address)
	}
	if _, err := js.AccountInfo(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAStoreThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Store: filepath.Join(file, "store")}); err == nil || !strings.Contains(err.Error(), "store") {
		t.Errorf("error %v, want one about the store", err)
	}
}

func TestAStartThatHasNoTimeLetsGoOfTheStore(t *testing.T) {
	store := t.TempDir()
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := Start(ctx, Options{Store: store}); err == nil {
		t.Error("it has started, although there was no time")
	}
	start(t, store)
}
