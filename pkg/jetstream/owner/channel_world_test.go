package owner

import (
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// channelOf is a Channel with this log.
func channelOf(name string, log route.Log) route.Address {
	if log.MaxBytes == 0 {
		log.MaxBytes = 16 << 20
	}
	return route.Address{Key: route.Key{Kind: route.KindChannel, Namespace: "shop", Name: name}, UID: "uid-" + name, Log: log}
}

// subscriberOf is a subscriber of the Channel.
func subscriberOf(channel route.Address, name string) route.Target {
	t := route.Target{
		Key: route.TargetKey{Address: channel.Key, Namespace: "shop", Name: name}, UID: "uid-" + name,
		Subscriber: &route.Destination{URL: "http://subscriber.example/" + name},
	}
	if channel.Log.Stream != "" {
		t.Stream, t.Subjects = channel.Log.Stream, channel.Log.Subjects
	}
	return t
}

// putChannel makes the Channel.
func (i *installation) putChannel(channel route.Address) Applied {
	i.t.Helper()
	applied, err := i.owner.PutAddress(jstest.Context(i.t), channel)
	jstest.Must(i.t, err)
	return applied
}

// putSubscriber makes the subscriber and returns it with its cursor.
func (i *installation) putSubscriber(target route.Target) route.Target {
	i.t.Helper()
	return i.put(target)
}

// send stores an event with this id, as the ingress does.
func (i *installation) send(channel route.Address, ids ...string) {
	i.t.Helper()
	p := publisherOf(i.t, i.client)
	for _, id := range ids {
		m := jstest.Message(id, "a")
		m.ID = channel.Key.Name + m.ID
		if _, err := p.Publish(jstest.Context(i.t), channel, []ingress.Message{m}); err != nil {
			i.t.Fatal(err)
		}
	}
}

// native has a NATS publisher store a message.
func (i *installation) native(subject string, data string, headers ...string) {
	i.t.Helper()
	m := &nats.Msg{Subject: subject, Data: []byte(data), Header: nats.Header{}}
	for n := 0; n+1 < len(headers); n += 2 {
		m.Header[headers[n]] = []string{headers[n+1]}
	}
	_, err := i.client.JetStream().PublishMsg(jstest.Context(i.t), m)
	jstest.Must(i.t, err)
}

// foreign makes a stream that is not ours.
func (i *installation) foreign(config natsjs.StreamConfig) natsjs.Stream {
	i.t.Helper()
	stream, err := i.client.JetStream().CreateStream(jstest.Context(i.t), config)
	jstest.Must(i.t, err)
	return stream
}

// takeIDs takes and acknowledges so many messages, and returns the ids of their events.
func takeIDs(t testing.TB, source dispatch.Source, count int) []string {
	t.Helper()
	var ids []string
	for range count {
		m := next(t, source)
		ids = append(ids, m.Event.Attr(event.ID))
		jstest.Must(t, m.Ack())
	}
	return ids
}
