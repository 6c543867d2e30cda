package event_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func sample() event.Event {
	return event.Event{
		Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: "a b"}, {Name: event.Source, Value: "/€"},
			{Name: event.Type, Value: "com.example"}, {Name: event.Subject, Value: "x\r\nNats-Rollup: all"},
			{Name: event.DataContentType, Value: `text/plain; a="b c"`}, {Name: "ext", Value: ""}, {Name: event.HopCount, Value: "9"},
		},
		Headers: []event.Header{
			{Name: "Traceparent", Value: "00-1-2-01"}, {Name: "Tracestate", Value: "a=1"}, {Name: "Tracestate", Value: "b= 2"},
			{Name: "X-Request-Id", Value: "caf\xe9"},
		},
		Data: []byte("payload"),
	}
}

func TestToNATS(t *testing.T) {
	got := event.ToNATS(sample())
	want := map[string][]string{
		"ce-specversion": {"1.0"}, "ce-id": {"a%20b"}, "ce-source": {"/%E2%82%AC"}, "ce-type": {"com.example"},
		"ce-subject": {"x%0D%0ANats-Rollup:%20all"}, "ce-datacontenttype": {"text/plain;%20a=%22b%20c%22"}, "ce-ext": {""},
		"ce-knativebrokerttl": {"9"}, "http-Traceparent": {"00-1-2-01"}, "http-Tracestate": {"a=1", "b=%202"},
		"http-X-Request-Id": {"caf%E9"},
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

func TestFromNATS(t *testing.T) {
	envelope := `{` + required + `,"data":{"a": 1}}`
	tests := []struct {
		name     string
		header   map[string][]string
		data     string
		wantType string
		wantData string
		// wantContentType is that of the event.
		wantContentType string
	}{
		{"names in other cases", map[string][]string{"CE-SpecVersion": {"1.0"}, "Ce-Id": {"1"}, "ce-SOURCE": {"/s"},
			"ce-type": {"t"}, "Content-Type": {"text/plain"}}, "x", "t", "x", "text/plain"},
		{"both content types", map[string][]string{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"/s"}, "ce-type": {"t"},
			"content-type": {"text/plain"}, "ce-datacontenttype": {"text/html"}}, "x", "t", "x", "text/html"},
		{"structured", map[string][]string{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}, envelope,
			"t", `{"a": 1}`, "application/json"},
		{"structured, as the binding spells it", map[string][]string{"content-type": {"application/cloudevents"}}, envelope,
			"t", `{"a": 1}`, "application/json"},
		{"structured beside attributes", map[string][]string{"content-type": {"application/cloudevents+json"},
			"ce-specversion": {"1.0"}, "ce-type": {"another"}}, envelope, "t", `{"a": 1}`, "application/json"},
		{"structured without an announcement", nil, "\n " + envelope, "t", `{"a": 1}`, "application/json"},
		{"inner type that is an event's", map[string][]string{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"/s"},
			"ce-type": {"t"}, "ce-datacontenttype": {"application/cloudevents+json"}}, "{}", "t", "{}", "application/cloudevents+json"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := event.FromNATS(test.header, []byte(test.data))
			if err != nil {
				t.Fatal(err)
			}
			if e.Attr(event.Type) != test.wantType || string(e.Data) != test.wantData {
				t.Errorf("got type %q, data %q, want %q, %q", e.Attr(event.Type), e.Data, test.wantType, test.wantData)
			}
			if got := e.Attr(event.DataContentType); got != test.wantContentType {
				t.Errorf("got content type %q, want %q", got, test.wantContentType)
			}
			if len(e.Attributes) != 5 {
				t.Errorf("got attributes %v, want 5", e.Attributes)
			}
		})
	}
}

func TestFromNATSRefuses(t *testing.T) {
	with := func(key string, values ...string) map[string][]string {
		h := event.ToNATS(event.Event{Attributes: []event.Attribute{{Name: event.SpecVersion, Value: "1.0"},
			{Name: event.ID, Value: "1"}, {Name: event.Source, Value: "/s"}, {Name: event.Type, Value: "t"}}})
		h[key] = values
		return h
	}
	tests := []struct {
		name          string
		header        map[string][]string
		data          string
		wantAttribute string
		want          error
	}{
		{"nothing", nil, "", "", event.ErrNotCloudEvent},
		{"other headers", map[string][]string{"Nats-Msg-Id": {"1"}}, "text", "", event.ErrNotCloudEvent},
		{"another content type", map[string][]string{"content-type": {"application/json"}}, "{}", "", event.ErrNotCloudEvent},
		{"envelope cut off", map[string][]string{"content-type": {"application/cloudevents+json"}}, "{", "", event.ErrMalformed},
		{"id empty", with("ce-id", ""), "", event.ID, nil},
		{"id twice", with("ce-id", "1", "2"), "", event.ID, nil},
		{"id in two cases", with("CE-ID", "another"), "", event.ID, nil},
		{"bad name", with("ce-a_b", "1"), "", "a_b", nil},
		{"bare Latin-1", with("ce-ext", "caf\xe9"), "", "ext", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := event.FromNATS(test.header, []byte(test.data))
			if test.want != nil {
				if !errors.Is(err, test.want) {
					t.Errorf("got error %v, want %v", err, test.want)
				}
				return
			}
			var attribute *event.AttributeError
			if !errors.As(err, &attribute) || attribute.Attribute != test.wantAttribute {
				t.Errorf("got error %v, want one about %q", err, test.wantAttribute)
			}
		})
	}
}

// A structured message holds the same event, however large the attributes are.
func TestToStructuredNATS(t *testing.T) {
	want := sample().With("big", strings.Repeat("€", event.MaxNATSHeaderBytes))
	h, payload := event.ToStructuredNATS(want)
	if size := event.HeaderBytes(h); size > 1000 {
		t.Errorf("its headers have %d bytes", size)
	}
	got, err := event.FromNATS(h, payload)
	if err != nil {
		t.Fatal(err)
	}
	requireSame(t, "from NATS", got, want)
}

func TestFromNATSReadsOnlyHeadersThatTravel(t *testing.T) {
	h := event.ToNATS(sample())
	maps.DeleteFunc(h, func(key string, _ []string) bool { return strings.HasPrefix(key, "http-") })
	h["Http-X-Request-Id"] = []string{"7"}
	h["http-Authorization"] = []string{"secret"}
	h["http-Nats-Msg-Id"] = []string{"1"}
	h["http-Kn-Namespace"] = []string{"ns"}
	h["http-Kn-Evil"] = []string{"a%0D%0Ab"}
	h["http-Kn- Bad"] = []string{"x"}
	h["X-Request-Id"] = []string{"not ours"}
	e, err := event.FromNATS(h, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []event.Header{{Name: "X-Request-Id", Value: "7"}}; !slices.Equal(e.Headers, want) {
		t.Errorf("got %v, want %v", e.Headers, want)
	}
}

// connect starts a server inside the test and connects to it.
func connect(t *testing.T) *nats.Conn {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func TestEventSurvivesJetStream(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	js, err := jetstream.New(connect(t))
	if err != nil {
		t.Fatal(err)
	}
	config := jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Storage: jetstream.MemoryStorage}
	stream, err := js.CreateStream(ctx, config)
	if err != nil {
		t.Fatal(err)
	}

	want := sample()
	if _, err := js.PublishMsg(ctx, &nats.Msg{Subject: "s", Header: event.ToNATS(want), Data: want.Data}); err != nil {
		t.Fatal(err)
	}
	message, err := stream.GetMsg(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := event.FromNATS(message.Header, message.Data)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sorted(got.Attributes), sorted(want.Attributes)) {
		t.Errorf("got attributes %v, want %v", got.Attributes, want.Attributes)
	}
	if !slices.Equal(got.Headers, want.Headers) || string(got.Data) != string(want.Data) {
		t.Errorf("got headers %v, data %q, want %v, %q", got.Headers, got.Data, want.Headers, want.Data)
	}

	// The limit, and our count against it, are exact.
	for _, excess := range []int{0, 1} {
		h := event.ToNATS(sample().With("pad", ""))
		h["ce-pad"] = []string{strings.Repeat("x", event.MaxNATSHeaderBytes-event.HeaderBytes(h)+excess)}
		_, err := js.PublishMsg(ctx, &nats.Msg{Subject: "s", Header: h})
		if size := event.HeaderBytes(h); (err == nil) != (size <= event.MaxNATSHeaderBytes) {
			t.Errorf("%d bytes of headers: got error %v", size, err)
		}
	}
}

func TestHeaderBytesIsWhatTheClientSends(t *testing.T) {
	tests := []struct {
		name   string
		header map[string][]string
	}{
		{"none", nil},
		{"an event", event.ToNATS(sample())},
		{"white space around", map[string][]string{"a": {" \tb \r\n", ""}, "c": {}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			message := nats.Msg{Header: test.header}
			if got, want := event.HeaderBytes(test.header), message.Size(); got != want {
				t.Errorf("got %d, the client sends %d", got, want)
			}
		})
	}
}
