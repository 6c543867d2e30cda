package naming

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// covers reports whether the filter matches the subject, or everything that the subject covers.
func covers(filter, subject string) bool {
	filterTokens, tokens := strings.Split(filter, "."), strings.Split(subject, ".")
	for i, want := range filterTokens {
		switch {
		case want == ">":
			return len(tokens) > i
		case i >= len(tokens) || tokens[i] != want:
			return false
		}
	}
	return len(tokens) == len(filterTokens)
}

// literal reports whether NATS takes the subject for one subject: visible characters, no wildcards,
// no empty tokens, and far from the 4,096 bytes of a protocol line.
func literal(subject string) bool {
	for i := range len(subject) {
		if c := subject[i]; c <= ' ' || c >= 0x7f || c == '*' || c == '>' {
			return false
		}
	}
	return !strings.Contains("."+subject+".", "..") && len(subject) < 2048
}

func connect(t *testing.T) jetstream.JetStream {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server did not start")
	}
	connection, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Close)
	js, err := jetstream.New(connection)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// TestServerTakesOurNames creates everything with a name on a real server, with extreme identities.
func TestServerTakesOurNames(t *testing.T) {
	js := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	n := newNames(t, strings.Repeat("x", maxPrefix))
	label := strings.Repeat("a", 63)
	longest := strings.Join([]string{label, label, label, label[:61]}, ".")

	routes, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: n.RoutesBucket()})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []route.Key{broker("default", "orders"), broker(label, longest), broker("Not", "le/g*l.>")} {
		target := route.TargetKey{Address: k, Namespace: k.Namespace, Name: k.Name}
		takesStreams(ctx, t, js, n, target)
		for _, key := range []string{AddressKey(k), TargetKey(target)} {
			if _, err := routes.Create(ctx, key, nil); err != nil {
				t.Errorf("key %s: %v", key, err)
			}
		}
		if keys, err := routes.ListKeysFiltered(ctx, TargetKeysOf(k)); err != nil || <-keys.Keys() != TargetKey(target) {
			t.Errorf("%s does not list %s: %v", TargetKeysOf(k), TargetKey(target), err)
		}
	}
}

func takesStreams(ctx context.Context, t *testing.T, js jetstream.JetStream, n Names, target route.TargetKey) {
	t.Helper()
	k := target.Address
	for _, stream := range []jetstream.StreamConfig{
		{Name: n.Log(k), Subjects: []string{n.LogSubjects(k)}},
		{Name: n.DirectedStream(k), Subjects: []string{n.DirectedSubjects(k), n.ParkedSubjects(k)}},
		{Name: n.DeadLetterStream(k), Subjects: []string{n.DeadLetterSubjects(k)}},
	} {
		if _, err := js.CreateStream(ctx, stream); err != nil {
			t.Fatalf("stream %s: %v", stream.Name, err)
		}
	}
	for stream, filter := range map[string]string{n.Log(k): n.TypePrefixSubject(k, "com.ex"), n.DirectedStream(k): n.DirectedSubject(target)} {
		consumer := jetstream.ConsumerConfig{Durable: n.Consumer(target), FilterSubject: filter}
		if _, err := js.CreateConsumer(ctx, stream, consumer); err != nil {
			t.Errorf("consumer %s of %s: %v", consumer.Durable, stream, err)
		}
	}
	longest := Identity{Target: target, Sequence: 1 << 63, Stored: time.Unix(1<<33, 999_999_999), Run: 1<<64 - 1}
	subjects := map[string]string{
		n.DirectedSubject(target): n.DirectedStream(k), n.ParkedSubject(longest): n.DirectedStream(k), n.DeadLetterSubject(target): n.DeadLetterStream(k),
	}
	for _, eventType := range []string{"com.example", "", "..", "a b", "*.>", "\x00\xff\r\n", strings.Repeat("ü.", 40), strings.Repeat("ü", 4000)} {
		subjects[n.EventSubject(k, eventType)] = n.Log(k)
	}
	for subject, stream := range subjects {
		if ack, err := js.Publish(ctx, subject, nil); err != nil || ack.Stream != stream {
			t.Errorf("publish to %s: stored in %+v, want %s: %v", subject, ack, stream, err)
		}
	}
}
