package foreign

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

func TestCheckSubjects(t *testing.T) {
	n, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, subjects := range [][]string{
		nil, {"orders"}, {"orders.>"}, {"orders.*.new", "orders.*.old"}, {"a", "a.b", "a.b.c"}, {"x.*.a", "x.*.b.c"}, {"kn"}, {"knx.>"}, {"Kn.>"}, {"é.>"},
		{"_INBOXES.x"},
	} {
		if err := CheckSubjects(subjects); err != nil {
			t.Errorf("%q: %v", subjects, err)
		}
	}
	for _, subjects := range [][]string{
		{""}, {">"}, {"a", ">"}, {".a"}, {"a."}, {"a..b"}, {"a.>.b"}, {"a b"}, {"a\tb"}, {"a\x00"}, {"a*"}, {"a.b>"}, {"$JS.API.>"}, {"$KV.x.>"},
		{"_INBOX.>"}, {"_INBOX"}, {"a", "a"}, {"a.>", "a.b"}, {"a.*", "a.b"}, {"a.*.c", "a.b.*"}, {"*"}, {"*.b"}, {"a.b.c", "x", "a.>"}, {strings.Repeat("a", 2000)},
	} {
		if err := CheckSubjects(subjects); !errors.Is(err, ErrSubject) {
			t.Errorf("%q: error %v, want ErrSubject", subjects, err)
		}
	}
	for _, subject := range []string{"kn.>", "kn.e.>", "kn.e.channel.shop.orders.x", "kn.*", "kn.*.>"} {
		if err := CheckSubjectsOf(n, []string{subject}); !errors.Is(err, ErrSubject) {
			t.Errorf("%q: error %v, want ErrSubject", subject, err)
		}
	}
	for _, subject := range []string{"kn", "orders.>", "kno.>"} {
		if err := CheckSubjectsOf(n, []string{subject}); err != nil {
			t.Errorf("%q: %v", subject, err)
		}
	}
}

func TestCoversAndOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b            string
		covers, overlap bool
	}{
		{"a", "a", true, true}, {"a", "b", false, false}, {"a.>", "a", false, false}, {"a.>", "a.b", true, true}, {"a.>", "a.b.>", true, true},
		{"a.b.>", "a.>", false, true}, {">", "a.>", true, true}, {">", ">", true, true}, {"a.*", "a.b", true, true}, {"a.*", "a.b.c", false, false},
		{"a.*", "a.>", false, true}, {"*.b", "a.*", false, true}, {"*.*", "a.*", true, true}, {"a.*.>", "a.b.c.>", true, true}, {"a.*", "*.a", false, true},
		{"a.b", "a.*", false, true}, {"a.*.c", "a.b.d", false, false},
	} {
		if got := Covers(c.a, c.b); got != c.covers {
			t.Errorf("%s covers %s: %t, want %t", c.a, c.b, got, c.covers)
		}
		if got := overlap(c.a, c.b) && overlap(c.b, c.a); got != c.overlap {
			t.Errorf("%s and %s overlap: %t, want %t", c.a, c.b, got, c.overlap)
		}
	}
}

// connect starts a server and connects to it.
func connect(t *testing.T) jetstream.JetStream {
	t.Helper()
	connection, err := nats.Connect(natstest.Start(t, nil).URL())
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

// The server accepts for a stream every subject that CheckSubjects accepts.
func FuzzTheServerTakesWhatWeTake(f *testing.F) {
	for _, seed := range []string{"a", "a.>", "a.*.b,a.c", "é.>", "a b", "a..b", "a*.b", "$X.a", "_INBOX.a", "a.>,b.>", "a\x01", "\xff", "a,b.*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		subjects := strings.Split(list, ",")
		if len(subjects) > 8 || CheckSubjects(subjects) != nil {
			return
		}
		js := connect(t)
		stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: subjects})
		if err != nil {
			t.Fatalf("%q: %v", subjects, err)
		}
		if _, err := stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{FilterSubjects: subjects, InactiveThreshold: time.Minute}); err != nil {
			t.Fatalf("a consumer of %q: %v", subjects, err)
		}
	})
}

func TestLegalStream(t *testing.T) {
	for name, want := range map[string]bool{"ORDERS": true, "a-b_c=d": true, "": false, "a.b": false, "a b": false, "a*": false, "a>": false, "a/b": false, strings.Repeat("x", 256): false} {
		if LegalStream(name) != want {
			t.Errorf("stream %.20q is legal: %t, want %t", name, !want, want)
		}
	}
}
