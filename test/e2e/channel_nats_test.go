package e2e

import (
	"encoding/base64"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connectNATS runs a nats-server of its own, and connects to it as somebody who is no part of Knative.
func connectNATS(t *testing.T) (url string, js jetstream.JetStream) {
	t.Helper()
	port := freePort(t)
	url = "nats://127.0.0.1:" + port
	start(t, "nats-server", built.natsServer, "-js", "-a", "127.0.0.1", "-p", port, "-sd", t.TempDir())
	var conn *nats.Conn
	eventually(t, 20*time.Second, "nats-server answers", func() (err error) {
		conn, err = nats.Connect(url)
		return err
	})
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return url, js
}

func publish(t *testing.T, js jetstream.JetStream, subject, data string, headers ...string) {
	t.Helper()
	m := &nats.Msg{Subject: subject, Data: []byte(data), Header: nats.Header{}}
	for n := 0; n+1 < len(headers); n += 2 {
		m.Header[headers[n]] = []string{headers[n+1]}
	}
	if _, err := js.PublishMsg(t.Context(), m); err != nil {
		t.Fatalf("publish to %s: %v", subject, err)
	}
}

// TestChannelTakesWhatNATSPublishersSend has them send a plain payload, a CloudEvent, and something that claims to be one.
func TestChannelTakesWhatNATSPublishersSend(t *testing.T) {
	t.Parallel()
	url, js := connectNATS(t)
	s := subscribe(t, nil)
	sensors := channelOf("sensors", `{delivery: {deadLetterSink: {uri: "`+s.URL+`/dead"}}}`, "subjects", "sensors.>")
	l := startChannels(t, "sensors", []resource{sensors, subscriptionOf(sensors, "all", subscriberAt(s.URL+"/all"))}, "--nats", url)
	publish(t, js, "sensors.hall", `{"celsius": 21}`)
	publish(t, js, "sensors.hall", "hello", "ce-specversion", "1.0", "ce-id", "native", "ce-source", "/hall", "ce-type", "measured", "content-type", "text/plain")
	publish(t, js, "sensors.hall", `{"specversion": "1.0"`, "Content-Type", "application/cloudevents+json")
	l.accepts(t, "/channels/default/sensors", event("posted", "by-http"), []byte("{}"))

	visits := s.gets(t, "/all", 3)
	plain := visits[slices.IndexFunc(visits, func(v visit) bool { return v.header.Get("ce-type") == "dev.eventing-jetstream.nats.message" })]
	if plain.header.Get("ce-source") != "nats:sensors.hall" || plain.header.Get("content-type") != "application/json" || string(plain.body) != `{"celsius": 21}` {
		t.Errorf("the plain payload became %v %q", plain.header, plain.body)
	}
	if native := s.getsEvent(t, "/all", "native"); native.header.Get("ce-source") != "/hall" || native.header.Get("content-type") != "text/plain" || string(native.body) != "hello" {
		t.Errorf("the CloudEvent came as %v %q", native.header, native.body)
	}
	s.getsEvent(t, "/all", "by-http")
	dead := s.gets(t, "/dead", 1)[0]
	why, err := base64.StdEncoding.DecodeString(dead.header.Get("ce-knativeerrordata"))
	if string(dead.body) != `{"specversion": "1.0"` || dead.header.Get("ce-source") != "nats:sensors.hall" || err != nil || !strings.Contains(string(why), "malformed") {
		t.Errorf("the malformed one came to the dead letter sink as %v %q, because of %q", dead.header, dead.body, why)
	}
	eventually(t, 20*time.Second, "nothing is left", func() error { return backlogOf(t, url) })
	if all, dead := len(s.at("/all")), len(s.at("/dead")); all != 3 || dead != 1 {
		t.Errorf("%d events and %d dead letters, want 3 and 1", all, dead)
	}
}

// TestChannelAdoptsAStream runs two Channels on a stream that somebody else has made, filled and limited: one of the whole stream, which
// its owner has let listen to the Channel's subjects, and one of a part, which cannot be posted to. Then it takes them away again.
func TestChannelAdoptsAStream(t *testing.T) {
	t.Parallel()
	url, js := connectNATS(t)
	theirs, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "ORDERS", Subjects: []string{"orders.>", "kn.e.channel.default.whole.>"}, MaxAge: time.Hour, MaxMsgs: 100, Discard: jetstream.DiscardOld,
	})
	if err != nil {
		t.Fatal(err)
	}
	before := theirs.CachedInfo().Config
	for _, subject := range []string{"orders.old.1", "orders.old.2", "orders.odd"} {
		publish(t, js, subject, "old")
	}
	s := subscribe(t, nil)
	whole, part := channelOf("whole", "{}", "stream", "ORDERS"), channelOf("part", "{}", "stream", "ORDERS", "subjects", "orders.old.*,orders.new.*")
	l := startChannels(t, "whole", []resource{
		whole, part,
		subscriptionOf(whole, "new", subscriberAt(s.URL+"/new")),
		subscriptionOf(whole, "all", subscriberAt(s.URL+"/all"), "start", "all"),
		subscriptionOf(whole, "second", subscriberAt(s.URL+"/second"), "start", "2"),
		subscriptionOf(part, "last", subscriberAt(s.URL+"/last"), "start", "last"),
	}, "--nats", url)
	l.says(t, "is ready, but takes nothing by HTTP: stream ORDERS does not listen to kn.e.channel.default.part.>", 1)
	publish(t, js, "orders.new.1", "new")
	l.accepts(t, "/channels/default/whole", event("posted", "by-http"), []byte("{}"))
	if got := (call{url: l.url("/channels/default/part"), header: event("posted", "refused")}).do(t); got.status != 403 {
		t.Errorf("POST to a Channel whose stream does not listen: status %d, want 403: %s", got.status, got.body)
	}
	for path, want := range map[string][]string{
		"/new": {"ORDERS.4", "by-http"}, "/all": {"ORDERS.1", "ORDERS.2", "ORDERS.3", "ORDERS.4", "by-http"},
		"/second": {"ORDERS.2", "ORDERS.3", "ORDERS.4", "by-http"}, "/last": {"ORDERS.2", "ORDERS.4"},
	} {
		var got []string
		for _, v := range s.gets(t, path, len(want)) {
			got = append(got, v.id())
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s got %v, want %v", path, got, want)
		}
	}
	eventually(t, 20*time.Second, "nothing is left", func() error { return backlogOf(t, url) })

	l.save(t, manifest(brokerOf("default", "")))
	l.says(t, "channel default/whole  is removed", 1)
	eventually(t, 60*time.Second, "our consumers are gone", func() error {
		info, err := theirs.Info(t.Context())
		if err == nil && info.State.Consumers > 0 {
			err = jetstream.ErrConsumerExists
		}
		return err
	})
	if info := theirs.CachedInfo(); !reflect.DeepEqual(info.Config, before) || info.State.Msgs != 5 {
		t.Errorf("the stream is %+v with %d messages, was %+v with 5", info.Config, info.State.Msgs, before)
	}
}
