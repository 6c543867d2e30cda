//go:build cluster

package cluster_test

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"regexp"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// hand reaches into the NATS of config/nats, as an operator with the nats tool would.
type hand struct {
	t         testing.TB
	JetStream jetstream.JetStream
	names     naming.Names
}

func newHand(t testing.TB) *hand {
	t.Helper()
	return newHandOf(t, systemNamespace, "eventing-jetstream-nats")
}

// newHandOf reaches into the NATS behind a Service.
func newHandOf(t testing.TB, namespace, service string) *hand {
	t.Helper()
	ctx, cancel := context.WithCancel(background(t))
	forward := exec.CommandContext(ctx, "kubectl", "-n", namespace, "port-forward", "service/"+service, ":4222")
	out, err := forward.StdoutPipe()
	must(t, err)
	must(t, forward.Start())
	t.Cleanup(func() {
		cancel()
		_ = forward.Wait() // it is killed
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("kubectl port-forward says nothing")
	}
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(lines.Text())
	conn, err := nats.Connect("nats://" + address)
	must(t, err)
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	must(t, err)
	names, err := naming.New(naming.DefaultPrefix)
	must(t, err)
	return &hand{t: t, JetStream: js, names: names}
}

func (h *hand) deleteRecord(key string) {
	h.t.Helper()
	bucket, err := h.JetStream.KeyValue(h.t.Context(), h.names.RoutesBucket())
	must(h.t, err)
	must(h.t, bucket.Purge(h.t.Context(), key))
}

// holdsNothingOf is false, with what is still there, until the address has neither streams nor routes.
func (h *hand) holdsNothingOf(address route.Key) (bool, any) {
	h.t.Helper()
	ctx := h.t.Context()
	for _, stream := range []string{h.names.Log(address), h.names.DirectedStream(address), h.names.DeadLetterStream(address)} {
		if _, err := h.JetStream.Stream(ctx, stream); !errors.Is(err, jetstream.ErrStreamNotFound) {
			return false, stream
		}
	}
	bucket, err := h.JetStream.KeyValue(ctx, h.names.RoutesBucket())
	must(h.t, err)
	lister, err := bucket.ListKeysFiltered(ctx, naming.AddressKey(address), naming.TargetKeysOf(address))
	must(h.t, err)
	var standing []string
	for key := range lister.Keys() {
		entry, err := bucket.Get(ctx, key)
		must(h.t, err)
		// What has ended leaves a tombstone for a day: it tells a process that was cut off meanwhile.
		if record, err := route.DecodeRecord(entry.Value()); err != nil || !record.Swept {
			standing = append(standing, key)
		}
	}
	return len(standing) == 0, standing
}
