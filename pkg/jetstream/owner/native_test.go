package owner

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What NATS publishers send to a Channel's additional subjects, and what comes of it.
func TestWhatNATSPublishersSend(t *testing.T) {
	i := install(t)
	channel := channelOf("c", route.Log{Subjects: []string{"sensors.>", "orders.*"}})
	i.putChannel(channel)
	source := open(t, i.client, i.putSubscriber(subscriberOf(channel, "one")), 10)
	const envelope = `{"specversion":"1.0","id":"e","source":"/s","type":"t","datacontenttype":"text/plain","data":"hello"}`
	plain := func(source, contentType string) map[string]string {
		return map[string]string{event.Source: source, event.Type: codec.PlainType, event.DataContentType: contentType, event.SpecVersion: "1.0"}
	}
	asItIs := map[string]string{event.ID: "e", event.Source: "/s", event.Type: "t", event.DataContentType: "text/plain", event.Time: ""}
	for _, row := range []struct {
		name, subject, data string
		headers             []string
		want                map[string]string // attributes
		wantData            string
		wantReason          string // of a dead letter
	}{
		{name: "text", subject: "sensors.1", data: "21 °C", want: plain("nats:sensors.1", "application/octet-stream"), wantData: "21 °C"},
		{name: "JSON", subject: "orders.new", data: `{"n": 1}`, want: plain("nats:orders.new", "application/json"), wantData: `{"n": 1}`},
		{name: "JSON that is a number", subject: "sensors.1", data: "21", want: plain("nats:sensors.1", "application/json"), wantData: "21"},
		{name: "what it says it is", subject: "sensors.1", data: "<a/>", headers: []string{"Content-Type", "text/xml"},
			want: plain("nats:sensors.1", "text/xml"), wantData: "<a/>"},
		{name: "JSON that says it is JSON, and looks like an event", subject: "sensors.1", data: envelope, headers: []string{"content-type", "application/json"},
			want: plain("nats:sensors.1", "application/json"), wantData: envelope},
		{name: "a content type that is none", subject: "sensors.1", data: "x", headers: []string{"Content-Type", "what you like"},
			want: plain("nats:sensors.1", "application/octet-stream"), wantData: "x"},
		{name: "nothing", subject: "sensors.1", want: plain("nats:sensors.1", "")},
		{name: "bytes", subject: "sensors.1", data: "\xff\x00", want: plain("nats:sensors.1", "application/octet-stream"), wantData: "\xff\x00"},
		{name: "a subject that is no URI", subject: "sensors.a%c?#é", data: "x",
			want: plain("nats:sensors.a%25c%3F%23%C3%A9", "application/octet-stream"), wantData: "x"},
		{name: "binary CloudEvent", subject: "sensors.1", data: "hello", want: asItIs, wantData: "hello",
			headers: []string{"ce-specversion", "1.0", "ce-id", "e", "ce-source", "/s", "ce-type", "t", "content-type", "text/plain"}},
		{name: "structured CloudEvent", subject: "sensors.1", data: envelope, headers: []string{"Content-Type", "application/cloudevents+json; charset=utf-8"},
			want: asItIs, wantData: "hello"},
		{name: "structured CloudEvent that does not say so", subject: "sensors.1", data: "\n " + envelope, want: asItIs, wantData: "hello"},
		{name: "structured and malformed", subject: "sensors.1", data: envelope[:30], headers: []string{"Content-Type", "application/cloudevents+json"},
			wantReason: "malformed CloudEvents JSON", wantData: envelope[:30]},
		{name: "structured without id", subject: "sensors.1", data: strings.Replace(envelope, `"id":"e",`, "", 1), wantReason: `attribute "id"`,
			wantData: strings.Replace(envelope, `"id":"e",`, "", 1)},
		{name: "binary without type", subject: "sensors.1", headers: []string{"ce-specversion", "1.0", "ce-id", "e", "ce-source", "/s"}, wantReason: `attribute "type"`},
		{name: "binary without version", subject: "sensors.1", headers: []string{"ce-id", "e"}, wantReason: "ce-specversion"},
		{name: "a batch", subject: "sensors.1", data: "[]", headers: []string{"Content-Type", "application/cloudevents-batch+json"},
			wantReason: "not a CloudEvent", wantData: "[]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			began := time.Now()
			i.native(row.subject, row.data, row.headers...)
			m := next(t, source)
			jstest.Must(t, m.Ack())
			if string(m.Event.Data) != row.wantData {
				t.Errorf("data %q, want %q", m.Event.Data, row.wantData)
			}
			checkReason(t, m.Work, row.wantReason)
			for name, want := range row.want {
				if got := m.Event.Attr(name); got != want {
					t.Errorf("%s %q, want %q", name, got, want)
				}
			}
			if row.want[event.Type] != codec.PlainType {
				return
			}
			if want := i.client.Names().Log(channel.Key) + "." + strconv.FormatUint(m.Sequence, 10); m.Event.Attr(event.ID) != want {
				t.Errorf("id %q, want %q", m.Event.Attr(event.ID), want)
			}
			at, err := time.Parse(time.RFC3339Nano, m.Event.Attr(event.Time))
			if err != nil || at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
				t.Errorf("time %q, error %v", m.Event.Attr(event.Time), err)
			}
		})
	}
}

func checkReason(t *testing.T, w dispatch.Work, want string) {
	t.Helper()
	switch {
	case (w.Failure != nil) != (want != ""):
		t.Errorf("failure %+v, want one: %t", w.Failure, want != "")
	case w.Failure != nil && !strings.Contains(w.Failure.Reason, want):
		t.Errorf("reason %q, want %q", w.Failure.Reason, want)
	}
}

// The event of a plain message is one by every rule: it survives the form in which events are stored.
func TestAPlainMessagesEventIsValid(t *testing.T) {
	m := &nats.Msg{
		Subject: "sensors.a", Data: []byte("x"), Reply: "$JS.ACK.S.C.1.5.1.1764043200000000000.0", Sub: &nats.Subscription{},
		Header: nats.Header{"traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "x-other": {"stays behind"}},
	}
	work, err := codec.DecodeChannel(m)
	jstest.Must(t, err)
	again, err := event.FromNATS(event.ToNATS(work.Event), work.Event.Data)
	jstest.Must(t, err)
	if again.Attr(event.ID) != "S.5" || again.Attr(event.Time) != "2025-11-25T04:00:00Z" || len(again.Headers) != 1 || again.Headers[0].Name != "traceparent" {
		t.Errorf("%+v", again)
	}
}

// Another Channel's subscribers and the Broker get nothing of it, and what comes by HTTP lies in the same log.
func TestAdditionalSubjectsAreTheChannelsAlone(t *testing.T) {
	i := install(t)
	channel, other := channelOf("c", route.Log{Subjects: []string{"sensors.>"}}), channelOf("other", route.Log{})
	i.putChannel(channel)
	i.putChannel(other)
	mine := open(t, i.client, i.putSubscriber(subscriberOf(channel, "one")), 10)
	theirs := open(t, i.client, i.putSubscriber(subscriberOf(other, "one")), 10)
	i.native("sensors.1", "plain")
	i.send(channel, "by-http")
	i.send(other, "for-the-other")
	if got := takeIDs(t, mine, 2); got[1] != "by-http" {
		t.Errorf("got %v", got)
	}
	if got := takeIDs(t, theirs, 1); got[0] != "for-the-other" {
		t.Errorf("the other got %v", got)
	}

	// Without the subject, the log no longer listens: a publisher hears that nobody does.
	channel.Log.Subjects = nil
	i.putChannel(channel)
	_, err := i.client.JetStream().Publish(jstest.Context(t), "sensors.1", nil)
	if !publish.IsAbsent(err) {
		t.Errorf("error %v, want that no stream listens", err)
	}
}
