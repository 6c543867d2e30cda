package codec

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
)

func TestWorkRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name       string
		work, want *dispatch.Failure
	}{
		{name: "no failure yet"},
		{
			name: "a plain failure",
			work: &dispatch.Failure{Destination: "http://a/", Code: 500, Body: []byte("no"), Reason: "status 500", Attempts: 3, SinkAttempts: 2},
			want: &dispatch.Failure{Destination: "http://a/", Code: 500, Body: []byte("no"), Reason: "status 500", Attempts: 3, SinkAttempts: 2},
		},
		{
			name: "a letter whose copy is stored",
			work: &dispatch.Failure{Destination: "http://a/", Code: 500, Body: []byte("no"), SinkAttempts: 2, Copied: true},
			want: &dispatch.Failure{Destination: "http://a/", Code: 500, Body: []byte("no"), SinkAttempts: 2, Copied: true},
		},
		{
			name: "a reason of several lines, a body of any bytes",
			work: &dispatch.Failure{Destination: "http://a/", Reason: "dial:\r\nno route\nto host\n", Body: []byte{0, 13, 10, 255}},
			want: &dispatch.Failure{Destination: "http://a/", Reason: "dial:  no route to host", Body: []byte{0, 13, 10, 255}},
		},
		{
			name: "a reason that tries to be a header",
			work: &dispatch.Failure{Destination: "http://a/\r\nce-type: b", Reason: "x\r\nNats-Rollup: all", Body: []byte{}},
			want: &dispatch.Failure{Destination: "http://a/  ce-type: b", Reason: "x  Nats-Rollup: all", Body: []byte{}},
		},
		{
			name: "a failure of which nothing is known",
			work: &dispatch.Failure{Body: []byte{}},
			want: &dispatch.Failure{Body: []byte{}},
		},
		{
			name: "more than a header should hold",
			work: &dispatch.Failure{Reason: strings.Repeat("ü", maxReason), Body: make([]byte, 2*maxBody)},
			want: &dispatch.Failure{Reason: strings.Repeat("ü", maxReason/2), Body: make([]byte, maxBody)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			work := dispatch.Work{
				Event: jstest.Event("1", "a"), Sequence: 1<<64 - 1, Stored: time.Unix(7, 8).UTC(), Run: 1<<64 - 1, Attempt: 17, Unstored: 18, Failure: c.work,
			}
			got, err := DecodeDirected(overTheWire(t, EncodeWork(work)))
			jstest.Must(t, err)
			work.Failure = c.want
			jstest.SameWork(t, got, work)
		})
	}
}

// overTheWire encodes and decodes the headers as NATS does.
func overTheWire(t testing.TB, m *nats.Msg) *nats.Msg {
	t.Helper()
	var wire strings.Builder
	wire.WriteString("NATS/1.0\r\n")
	for name, values := range m.Header {
		for _, value := range values {
			if strings.ContainsAny(value, "\r\n") {
				t.Errorf("header %s has a line break: %q", name, value)
			}
			wire.WriteString(name + ": " + value + "\r\n")
		}
	}
	wire.WriteString("\r\n")
	decoded, err := nats.DecodeHeadersMsg([]byte(wire.String()))
	jstest.Must(t, err)
	return &nats.Msg{Header: decoded, Data: m.Data, Reply: "$JS.ACK.S.C.1.5.1.0.0", Sub: &nats.Subscription{}}
}

// A parked reply is kept with the event that it answers, whatever bytes either has.
func TestAReplyIsParkedWithItsEvent(t *testing.T) {
	reply := event.Event{
		Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "0.3"}, {Name: event.ID, Value: "é\"\n"}, {Name: event.Source, Value: "/s"}, {Name: event.Type, Value: "t"},
		},
		Headers: []event.Header{{Name: "Traceparent", Value: "00"}},
		Data:    []byte{0, 255, '}', 13, 10},
	}
	for name, data := range map[string][]byte{"data": []byte("body of 1"), "no data": nil, "data that looks like it": []byte(`{"Data":"AA=="}`)} {
		work := dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 7, Attempt: 2, Reply: &reply}
		work.Event.Data = data
		got, err := DecodeDirected(overTheWire(t, EncodeWork(work)))
		jstest.Must(t, err)
		if got.Reply == nil || !reflect.DeepEqual(*got.Reply, reply) {
			t.Fatalf("%s: the reply became %+v", name, got.Reply)
		}
		if string(got.Event.Data) != string(data) || got.Attempt != 2 || got.Sequence != 7 || got.Failure != nil {
			t.Errorf("%s: the work became %+v", name, got)
		}
	}
}

// An event and a reply keep the texts of their HTTP headers while they are parked, even twice.
func TestWhatIsParkedKeepsItsHeaderTexts(t *testing.T) {
	for _, text := range []string{
		"order-17", "a b", "a%20b", "a%20b c", "group%2Fproject", "50%25off", "100%", "/caf%E9", "/caf%C3%A9", "/caf%c3%a9", "/café", `say "hi"`, `"quoted"`, "a%0D%0Ab", "a\tb",
	} {
		came := http.Header{
			"Ce-Specversion": {"1.0"}, "Ce-Id": {text}, "Ce-Source": {"/s/x" + text}, "Ce-Type": {"t"}, "Ce-Subject": {text}, "Ce-Extension": {text},
			"Kn-Shop": {text}, "Knative-Shop": {"caf\xe9"},
		}
		e, err := event.FromHTTP(came, nil)
		if err != nil {
			came["Ce-Source"] = []string{"/s"} // a tab, or a percent sign alone, is no part of a URI
			e, err = event.FromHTTP(came, nil)
		}
		jstest.Must(t, err)
		work := dispatch.Work{Event: e, Sequence: 7, Reply: &e}
		for range 2 {
			work, err = DecodeDirected(overTheWire(t, EncodeWork(work)))
			jstest.Must(t, err)
		}
		if work.Reply == nil {
			t.Fatalf("%q: no reply, but %+v", text, work.Failure)
		}
		for what, parked := range map[string]event.Event{"event": work.Event, "reply": *work.Reply} {
			left := http.Header{}
			event.WriteHTTP(parked, left)
			if !reflect.DeepEqual(left, came) {
				t.Errorf("the %s came as %q, leaves as %q", what, came, left)
			}
			for _, name := range []string{event.ID, event.Source, event.Subject, "extension"} {
				if parked.Attr(name) != e.Attr(name) {
					t.Errorf("%q: the %s of the %s is %q, was %q", text, name, what, parked.Attr(name), e.Attr(name))
				}
			}
		}
	}
}

func TestAParkedReplyThatIsNoEventIsNotSent(t *testing.T) {
	for name, attribute := range map[string]event.Attribute{
		"a name that is empty":   {Name: "", Value: "1"},
		"a name of two requests": {Name: "x: 1\r\n\r\nPOST /admin HTTP/1.1\r\ny", Value: "1"},
		"a source that is none":  {Name: event.Source, Value: "%zz"},
	} {
		reply := jstest.Event("1", "a").With(attribute.Name, attribute.Value)
		work := dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 7, Reply: &reply}
		got, err := DecodeDirected(overTheWire(t, EncodeWork(work)))
		jstest.Must(t, err)
		if got.Reply != nil || got.Failure == nil || !strings.Contains(got.Failure.Reason, "reply") || got.Sequence != 7 {
			t.Errorf("%s: %+v with %+v, want a dead letter because of the reply", name, got, got.Failure)
		}
	}
}

// A malformed directed message becomes a dead letter that says what is wrong and keeps the event.
func TestBrokenDirectedMessagesAreDeadLetters(t *testing.T) {
	for _, c := range []struct {
		name, header, value, want string
	}{
		{"sequence", HeaderSequence, "-1", HeaderSequence},
		{"no attempt", HeaderAttempt, "", HeaderAttempt},
		{"attempt", HeaderAttempt, "many", HeaderAttempt},
		{"time", HeaderStored, "yesterday", HeaderStored},
		{"time that nanoseconds cannot count", HeaderStored, "9999-01-01T00:00:00Z", HeaderStored},
		{"run", headerRun, "-1", headerRun},
		{"replies that were not stored", headerUnstored, "x", headerUnstored},
		{"code", HeaderCode, "", HeaderCode},
		{"attempts", HeaderAttempts, "x", HeaderAttempts},
		{"tries of the sink", HeaderSinkTries, "x", HeaderSinkTries},
		{"body", HeaderBody, "***", HeaderBody},
		{"reply's length, no number", headerReplyBytes, "x", headerReplyBytes},
		{"reply longer than all", headerReplyBytes, "10000", headerReplyBytes},
		{"reply of less than nothing", headerReplyBytes, "-1", headerReplyBytes},
		{"reply that is none", headerReplyBytes, "3", "reply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := EncodeWork(jstest.Work("1", 1))
			m.Header[c.header] = []string{c.value}
			w, err := DecodeDirected(overTheWire(t, m))
			jstest.Must(t, err)
			if w.Failure == nil || !strings.Contains(w.Failure.Reason, c.want) || w.Event.Attr(event.ID) != "1" || w.Directed != 5 {
				t.Errorf("%+v with %+v, want a dead letter of the event that names %s", w, w.Failure, c.want)
			}
		})
	}
}

func FuzzWorkRoundTrip(f *testing.F) {
	f.Add("http://subscriber/", "status 503", []byte("busy"), 503, 4, uint64(7), int64(1_700_000_000_123_456_789))
	f.Add("", " \r\n\t x \x00", []byte{}, -1, -1, uint64(0), int64(-1))
	f.Add("http://a\nb", strings.Repeat("ü\n", 400), make([]byte, 3000), 0, 1<<40, uint64(1<<63), int64(1<<62))
	f.Fuzz(func(t *testing.T, destination, reason string, body []byte, code, attempts int, sequence uint64, stored int64) {
		work := dispatch.Work{
			Event: jstest.Event("1", "a"), Sequence: sequence, Stored: time.Unix(0, stored), Run: sequence, Attempt: attempts, Unstored: attempts,
			Failure: &dispatch.Failure{Destination: destination, Code: code, Body: body, Reason: reason, Attempts: attempts},
		}
		got, err := DecodeDirected(overTheWire(t, EncodeWork(work)))
		jstest.Must(t, err)
		if got.Sequence != sequence || !got.Stored.Equal(work.Stored) || got.Run != sequence || got.Unstored != attempts {
			t.Errorf("%+v became %+v", work, got)
		}
		if got.Attempt != attempts || got.Failure == nil || got.Failure.Code != code ||
			got.Failure.Attempts != attempts || string(got.Failure.Body) != string(body[:min(len(body), maxBody)]) {
			t.Errorf("%+v with %+v became %+v with %+v", work, work.Failure, got, got.Failure)
		}
		if utf8.ValidString(reason) && !utf8.ValidString(got.Failure.Reason) {
			t.Errorf("the reason %q was cut within a character", reason)
		}
	})
}

// Any message of a stream becomes work that has an identity and an event that can be stored again.
func FuzzDecode(f *testing.F) {
	whole := EncodeWork(jstest.Work("1", 1))
	for _, headers := range []string{
		"", "ce-id: 1", "content-type: application/cloudevents+json", HeaderSequence + ": 7", headerReplyBytes + ": 3", HeaderStored + ": x",
		HeaderCode + ": 1\r\n" + HeaderBody + ": %",
	} {
		f.Add(headers, whole.Data)
	}
	var all []string
	for name, values := range whole.Header {
		all = append(all, name+": "+values[0])
	}
	f.Add(strings.Join(all, "\r\n"), []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t"}`))
	f.Fuzz(func(t *testing.T, headers string, data []byte) {
		header, err := nats.DecodeHeadersMsg([]byte("NATS/1.0\r\n" + headers + "\r\n\r\n"))
		if err != nil {
			return
		}
		m := &nats.Msg{Subject: "a", Header: header, Data: data, Reply: "$JS.ACK.S.C.1.5.1.7.0", Sub: &nats.Subscription{}}
		for name, decode := range map[string]func(*nats.Msg) (dispatch.Work, error){
			"log": DecodeLog, "channel": DecodeChannel, "directed": DecodeDirected,
		} {
			w, err := decode(m)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if name != "directed" && (w.Sequence != 5 || w.Stored.UnixNano() != 7) || name == "directed" && w.Directed != 5 {
				t.Errorf("%s: the work is %+v", name, w)
			}
			if w.Failure != nil && (w.Failure.Reason == "" && name != "directed" || w.Reply != nil && w.Failure.Destination == sourceOf(m.Subject)) {
				t.Errorf("%s: %+v of %+v", name, w.Failure, w)
			}
			again, err := DecodeDirected(overTheWire(t, EncodeWork(w)))
			if err != nil || len(again.Event.Attributes) != len(w.Event.Attributes) || again.Sequence != w.Sequence {
				t.Errorf("%s: %+v became %+v, error %v", name, w, again, err)
			}
			again, err = DecodeDirected(overTheWire(t, EncodeStructured(w)))
			if err != nil || again.Event.Attr(event.ID) != w.Event.Attr(event.ID) || (again.Failure != nil) != (w.Failure != nil) {
				t.Errorf("%s: in structured mode %+v became %+v with %+v, error %v", name, w, again, again.Failure, err)
			}
		}
	})
}
