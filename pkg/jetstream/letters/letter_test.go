package letters_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/letters"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestALetterTellsWhatItHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	work := w.fails(w.trigger("one"), "1", 7)
	l := w.all(letters.Selection{})[0]
	jstest.SameWork(t, l.Work, work)
	if l.Address != w.broker.Key || l.Target != "shop/one" || l.GivenUp.IsZero() || l.Obstacle() != nil {
		t.Errorf("the letter is %+v", l)
	}
	text, err := json.Marshal(l)
	jstest.Must(t, err)
	var shown struct {
		Target, Reason, Destination, Response, NoRetry string
		Code, Attempts                                 int
		Event                                          map[string]any
	}
	jstest.Must(t, json.Unmarshal(text, &shown))
	if shown.Target != "shop/one" || shown.Reason != "status 503" || shown.Code != 503 || shown.Attempts != 4 || shown.NoRetry != "" ||
		shown.Destination != "http://subscriber.example/" || shown.Response != "busy\r\n\x00" || shown.Event["id"] != "1" {
		t.Errorf("as JSON the letter is %s", text)
	}
}

// What foreign hands have put into the stream is listed, exported with its bytes, and can be dropped.
func TestWhatIsNoLetter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		m    nats.Msg
		data string
	}{
		{"no event", nats.Msg{Data: []byte("\x00\xff bytes")}, "\x00\xff bytes"},
		{"nothing", nats.Msg{}, ""},
		{"an event without a history", nats.Msg{Header: event.ToNATS(jstest.Event("1", "a")), Data: []byte("d")}, "d"},
		{"a history without an event", nats.Msg{Header: nats.Header{codec.HeaderSequence: {"1"}, codec.HeaderAttempt: {"1"}}, Data: []byte("d")}, "d"},
		{"a wrong history", nats.Msg{Header: nats.Header{codec.HeaderSequence: {"x"}, codec.HeaderCode: {"y"}}, Data: []byte("d")}, "d"},
		{"an event of another version", nats.Msg{Header: nats.Header{"ce-specversion": {"9"}, codec.HeaderSequence: {"1"}}, Data: []byte("{")}, "{"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.m.Subject = w.client.Names().DeadLetterSubject(w.trigger("one").Key)
			_, err := w.client.JetStream().PublishMsg(jstest.Context(t), &c.m)
			jstest.Must(t, err)
			l := w.all(letters.Selection{})[0]
			if !errors.Is(l.Obstacle(), letters.ErrUnreadable) || l.Failure.Reason == "" || l.Target != "shop/one" {
				t.Errorf("it is listed as %+v with %+v", l, l.Failure)
			}
			_, err = json.Marshal(l)
			jstest.Must(t, err)
			var out bytes.Buffer
			if n, err := letters.Export(jstest.Context(t), w.client, letters.Selection{}, &out); n != 1 || err != nil {
				t.Fatalf("%d are exported: %v", n, err)
			}
			if e := readLine(t, out.String()); string(e.Data) != c.data {
				t.Errorf("the data of what is exported are %q, want %q", e.Data, c.data)
			}
			o, err := letters.Drop(jstest.Context(t), w.client, letters.Selection{ID: l.Event.Attr(event.ID)})
			if err != nil || o.Done != 1 || w.deadLetters() != 0 {
				t.Errorf("dropping it: %+v, %v; %d are left", o, err, w.deadLetters())
			}
		})
	}
}

// The data of such an event are in the log, as long as that has them.
func TestALetterThatIsAReference(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.trigger("one")
	work := jstest.Work("1", 7)
	work.Event.Data = make([]byte, w.client.MaxPayload())
	jstest.Must(t, w.store.DeadLetter(jstest.Context(t), one, work))
	work.Event.Attributes = append(work.Event.Attributes, event.Attribute{Name: "x", Value: strings.Repeat("x", int(w.client.MaxPayload()))})
	work.Sequence = 8
	jstest.Must(t, w.store.DeadLetter(jstest.Context(t), one, work))
	for n, l := range w.all(letters.Selection{}) {
		if !errors.Is(l.Obstacle(), letters.ErrReference) || l.Stream != w.client.Names().Log(w.broker.Key) || l.DataBytes != len(work.Event.Data) ||
			l.Sequence != uint64(7+n) || l.Failure.Reason != "status 503" { //nolint:gosec // one of two
			t.Errorf("letter %d tells %+v with %+v", n, l.Letter, l.Failure)
		}
	}
	if o := w.retry(letters.Selection{}); o.Done != 0 || o.Kept != 2 || w.deadLetters() != 2 {
		t.Errorf("a retry is %+v, want both kept", o)
	}
}

func TestExportIsOneLineForEachLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.trigger("one")
	work := jstest.Work("1", 7)
	work.Event = work.Event.With(event.DataContentType, "application/json").With("knativeerrordest", "http://earlier.example/")
	work.Event.Data = []byte("{\n  \"a\": 1\r\n}\n")
	jstest.Must(t, w.store.DeadLetter(jstest.Context(t), one, work))
	w.fails(one, "2", 8)
	var out strings.Builder
	n, err := letters.Export(jstest.Context(t), w.client, letters.Selection{}, &out)
	jstest.Must(t, err)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if n != 2 || len(lines) != 2 || w.deadLetters() != 2 {
		t.Fatalf("%d letters are exported, %d are left, in the lines\n%s", n, w.deadLetters(), out.String())
	}
	e := readLine(t, lines[0])
	if string(e.Data) != string(work.Event.Data) {
		t.Errorf("the data are %q, want %q", e.Data, work.Event.Data)
	}
	for name, want := range map[string]string{
		"id": "1", "knativeerrordest": "http://subscriber.example/", "knativeerrorcode": "503", "knativeerrordata": "YnVzeQ0KAA==",
		letters.ErrorReason: "status 503", letters.ErrorTarget: "shop/one", letters.ErrorAttempts: "4",
	} {
		if have := e.Attr(name); have != want {
			t.Errorf("%s is %q, want %q", name, have, want)
		}
	}
}

// A Subscription goes by its UID in a cluster; people call it by its name.
func TestATargetIsShownByItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := route.Target{
		Key:  route.TargetKey{Address: w.broker.Key, Namespace: "shop", Name: "0f8c"},
		Name: "pay", Subscriber: &route.Destination{URL: "http://subscriber.example/"},
	}
	_, err := w.owner.PutTarget(jstest.Context(t), target)
	jstest.Must(t, err)
	w.fails(target, "1", 7)
	for _, name := range []string{"pay", "shop/pay", "0f8c"} {
		if found := w.all(letters.Selection{Target: name}); len(found) != 1 || found[0].Target != "shop/pay" {
			t.Errorf("by the name %s these are found: %+v", name, found)
		}
	}
}

// readLine reads one line of an export.
func readLine(t *testing.T, line string) event.Event {
	t.Helper()
	e, err := event.FromHTTP(map[string][]string{"Content-Type": {"application/cloudevents+json"}}, []byte(line))
	jstest.Must(t, err)
	return e
}
