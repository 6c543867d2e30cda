package owner

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// aStream is a stream as somebody may have made it, with nearly nothing as we would.
func aStream(subjects ...string) natsjs.StreamConfig {
	return natsjs.StreamConfig{
		Name: "THEIRS", Description: "not ours", Subjects: subjects, Retention: natsjs.LimitsPolicy, Discard: natsjs.DiscardOld,
		MaxAge: time.Hour, MaxMsgs: 1000, Duplicates: time.Second, Metadata: map[string]string{"team": "other"},
	}
}

// From the day that it is adopted to the day that the Channel is gone, nothing of the stream changes but the consumers that are ours.
func TestAnAdoptedStreamIsLeftAsItIs(t *testing.T) {
	i := install(t)
	channel := channelOf("c", route.Log{Stream: "THEIRS"})
	stream := i.foreign(aStream("theirs.>", i.client.Names().LogSubjects(channel.Key)))
	_, err := stream.CreateConsumer(jstest.Context(t), natsjs.ConsumerConfig{Durable: "theirs", AckPolicy: natsjs.AckExplicitPolicy})
	jstest.Must(t, err)
	before := stream.CachedInfo().Config
	i.native("theirs.old", "before")

	if applied := i.putChannel(channel); applied.Refuse != "" || !applied.LogMade.Equal(stream.CachedInfo().Created) {
		t.Errorf("applied as %+v", applied)
	}
	one := i.putSubscriber(subscriberOf(channel, "one"))
	i.send(channel, "by-http")
	i.native("theirs.new", "plain")
	source := open(t, i.client, one, 10)
	if got := takeIDs(t, source, 2); !slices.Equal(got, []string{"by-http", "THEIRS.3"}) {
		t.Errorf("got %v", got)
	}
	source.Stop()
	if floor, err := trim.Once(jstest.Context(t), i.client, channel, 1); floor != 0 || err != nil {
		t.Errorf("trimmed to %d, error %v", floor, err)
	}
	i.sweep()
	i.putChannel(channel) // as a resync does
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), one.Key))
	i.sweep()
	two := i.putSubscriber(subscriberOf(channel, "two"))
	jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), channel.Key)) // the subscriber is still there
	i.sweep()

	info, err := stream.Info(jstest.Context(t))
	jstest.Must(t, err)
	if !reflect.DeepEqual(info.Config, before) || info.State.Msgs != 3 || info.State.FirstSeq != 1 {
		t.Errorf("the stream is %+v with %+v, was %+v", info.Config, info.State, before)
	}
	consumers, err := jetstream.ConsumersOf(jstest.Context(t), stream)
	jstest.Must(t, err)
	if len(consumers) != 1 || consumers["theirs"] == nil {
		t.Errorf("its consumers are %v, want theirs alone (ours were %s and %s)", consumers, one.Consumer, two.Consumer)
	}
}

func TestStreamsThatCannotBeAdopted(t *testing.T) {
	i := install(t)
	other := dialAs(t, i.server, "other")
	jstest.Must(t, buckets.Ensure(t.Context(), other))
	_, err := New(other, "tests", shortGrace).PutAddress(jstest.Context(t), brokerOf("orders", 1<<20))
	jstest.Must(t, err)
	for name, want := range map[string]error{
		"NOBODYS":                          ErrNoStream,
		"no name":                          ErrNotAdoptable,
		i.client.Names().Log(i.broker.Key): ErrNotAdoptable,
		other.Names().Log(i.broker.Key):    ErrNotAdoptable,
		"KV_kn_routes":                     ErrNotAdoptable,
		"KV_anything":                      ErrNotAdoptable,
	} {
		_, err := i.owner.PutAddress(jstest.Context(t), channelOf("c", route.Log{Stream: name}))
		if !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want %v with the name", name, err, want)
		}
	}
	if records, err := i.owner.Owned(jstest.Context(t)); err != nil || len(records) != 1 {
		t.Errorf("there are %d routes, want the Broker's alone; error %v", len(records), err)
	}
}

// A stream that does not listen to the Channel's own subjects gives it what NATS publishers send, and the ingress knows why it takes nothing.
func TestAStreamThatTakesNothingByHTTP(t *testing.T) {
	i := install(t)
	i.foreign(aStream("theirs.>"))
	channel := channelOf("c", route.Log{Stream: "THEIRS", Subjects: []string{"theirs.a.>", "theirs.b"}})
	applied := i.putChannel(channel)
	want := "stream THEIRS does not listen to kn.e.channel.shop.c.>"
	if !strings.HasPrefix(applied.Refuse, want) {
		t.Errorf("refused because of %q, want %q", applied.Refuse, want)
	}
	records, err := routes.Records(jstest.Context(t), i.client, naming.AddressKey(channel.Key))
	jstest.Must(t, err)
	if len(records) != 1 || records[0].Address.Refuse != applied.Refuse {
		t.Errorf("the route is %+v", records)
	}
	source := open(t, i.client, i.putSubscriber(subscriberOf(channel, "one")), 10)
	for _, subject := range []string{"theirs.c", "theirs.a.1", "theirs.b.1", "theirs.b"} {
		i.native(subject, "plain")
	}
	for _, want := range []string{"nats:theirs.a.1", "nats:theirs.b"} {
		m := next(t, source)
		if got := m.Event.Attr(event.Source); got != want {
			t.Errorf("got a message of %s, want %s", got, want)
		}
		jstest.Must(t, m.Ack())
	}

	// Its owner lets the stream listen: the next time that the Channel is put, the ingress may take events.
	_, err = i.client.JetStream().UpdateStream(jstest.Context(t), aStream("theirs.>", "kn.e.channel.*.c.>"))
	jstest.Must(t, err)
	if applied := i.putChannel(channel); applied.Refuse != "" {
		t.Errorf("it is still refused: %s", applied.Refuse)
	}
	i.send(channel, "by-http")
	if got := takeIDs(t, source, 1); got[0] != "by-http" {
		t.Errorf("got %v", got)
	}
}

func TestWhyAStreamTakesNothingByHTTP(t *testing.T) {
	const subject = "kn.e.channel.shop.c.>"
	silent := aStream(">")
	silent.NoAck = true
	for _, c := range []struct {
		name   string
		config natsjs.StreamConfig
		want   string
	}{
		{"it listens", aStream("theirs.>", subject), ""},
		{"it listens to everything", aStream(">"), ""},
		{"it listens to more", aStream("kn.e.*.shop.>"), ""},
		{"it listens to less", aStream("kn.e.channel.shop.c.a"), "does not listen to " + subject},
		{"it listens to one token more", aStream("kn.e.channel.shop.c.*"), "does not listen to " + subject},
		{"it is a mirror", aStream(), "does not listen to " + subject},
		{"it says nothing", silent, "does not confirm what it stores"},
	} {
		if got := whyNotByHTTP(c.config, subject); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A reason of the caller's own stays.
func TestAdoptingKeepsTheReasonToRefuse(t *testing.T) {
	i := install(t)
	i.foreign(aStream("theirs.>"))
	channel := channelOf("c", route.Log{Stream: "THEIRS"})
	channel.Refuse = "an EventPolicy"
	if applied := i.putChannel(channel); applied.Refuse != "an EventPolicy" {
		t.Errorf("refused because of %q", applied.Refuse)
	}
}

// A Channel stays with the stream that it has. One that is made anew gets another only when what the old one had is gone.
func TestAChannelDoesNotChangeItsStream(t *testing.T) {
	i := install(t)
	i.foreign(aStream("theirs.>"))
	own, adopted := channelOf("c", route.Log{}), channelOf("c", route.Log{Stream: "THEIRS"})
	i.putChannel(own)
	if _, err := i.owner.PutAddress(jstest.Context(t), adopted); !errors.Is(err, ErrImmutable) {
		t.Fatalf("error %v, want ErrImmutable", err)
	}
	jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), own.Key))
	adopted.UID = "uid-next"
	var before *PredecessorError
	if _, err := i.owner.PutAddress(jstest.Context(t), adopted); !errors.As(err, &before) || before.UID != own.UID {
		t.Fatalf("error %v, want a PredecessorError of %s", err, own.UID)
	}
	jstest.Await(t, "the predecessor's streams are gone", func() bool {
		until, err := i.owner.EndPredecessor(jstest.Context(t), adopted, before)
		jstest.Must(t, err)
		return until.IsZero()
	})
	i.putChannel(adopted)
	if _, err := i.client.JetStream().Stream(jstest.Context(t), i.client.Names().Log(own.Key)); !errors.Is(err, natsjs.ErrStreamNotFound) {
		t.Errorf("the old log: error %v, want that it is gone", err)
	}
}

// What is deleted by hand comes back where it stood, but the stream itself is for others to make again.
func TestRepairOfAnAdoptedStream(t *testing.T) {
	i := install(t)
	channel := channelOf("c", route.Log{Stream: "THEIRS"})
	i.foreign(aStream("theirs.>"))
	i.putChannel(channel)
	one := i.putSubscriber(subscriberOf(channel, "one"))
	for range 3 {
		i.native("theirs.x", "plain")
	}
	source := open(t, i.client, one, 1)
	takeIDs(t, source, 2)
	source.Stop()
	jstest.Await(t, "two are acknowledged", func() bool {
		consumer, err := i.client.JetStream().Consumer(jstest.Context(t), "THEIRS", one.Consumer)
		jstest.Must(t, err)
		return consumer.CachedInfo().AckFloor.Stream == 2
	})
	i.sweep()
	jstest.Must(t, i.client.JetStream().DeleteConsumer(jstest.Context(t), "THEIRS", one.Consumer))
	i.sweep()
	source = open(t, i.client, one, 10)
	if got := takeIDs(t, source, 1); got[0] != "THEIRS.3" {
		t.Errorf("it goes on with %v, want THEIRS.3", got)
	}
	source.Stop()

	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), "THEIRS"))
	if err := i.owner.Sweep(jstest.Context(t)); !errors.Is(err, ErrNoStream) {
		t.Errorf("error %v, want ErrNoStream", err)
	}
	if _, err := i.client.JetStream().Stream(context.WithoutCancel(jstest.Context(t)), "THEIRS"); !errors.Is(err, natsjs.ErrStreamNotFound) {
		t.Errorf("error %v: the stream was made again", err)
	}
	i.foreign(aStream("theirs.>"))
	i.native("theirs.x", "plain")
	i.sweep()
	source = open(t, i.client, one, 10)
	if got := takeIDs(t, source, 1); got[0] != "THEIRS.1" {
		t.Errorf("in the new stream it begins with %v, want THEIRS.1", got)
	}
}

// A server that has started answers the first request to change a consumer with the consumer as it found it. From an answer without
// filters nats.go concludes that the server knows none; yet they are in force.
func TestTheFirstFiltersAfterTheServerHasStarted(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.foreign(aStream("theirs.>"))
	channel := channelOf("c", route.Log{Stream: "THEIRS"})
	i.putChannel(channel)
	i.putSubscriber(subscriberOf(channel, "one"))
	i.stop()
	i.restart()

	channel.Log.Subjects = []string{"theirs.a.>"}
	one := i.putSubscriber(subscriberOf(channel, "one"))
	source := open(t, i.client, one, 10)
	i.native("theirs.b", "not wanted")
	i.native("theirs.a.1", "wanted")
	if got := takeIDs(t, source, 1); got[0] != "THEIRS.2" {
		t.Errorf("got %v, want what is on the new subjects", got)
	}
}

// A subscriber that is brought back with another stream, as its Channel was, has left the one before.
func TestASubscriberLeavesTheStreamThatItHad(t *testing.T) {
	i := install(t)
	theirs := i.foreign(aStream("theirs.>"))
	next := aStream("next.>")
	next.Name = "NEXT"
	i.foreign(next)
	channel := channelOf("c", route.Log{Stream: "THEIRS"})
	i.putChannel(channel)
	one := i.putSubscriber(subscriberOf(channel, "one"))
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), one.Key))
	jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), channel.Key))
	i.native("next.1", "before it came")

	channel.UID, channel.Log.Stream = "uid-next", "NEXT"
	var before *PredecessorError
	if _, err := i.owner.PutAddress(jstest.Context(t), channel); !errors.As(err, &before) {
		t.Fatalf("error %v, want a PredecessorError", err)
	}
	jstest.Await(t, "the predecessor is gone", func() bool {
		until, err := i.owner.EndPredecessor(jstest.Context(t), channel, before)
		jstest.Must(t, err)
		return until.IsZero()
	})
	i.putChannel(channel)
	one = i.putSubscriber(subscriberOf(channel, "one"))
	i.native("next.2", "after it came")
	if got := takeIDs(t, open(t, i.client, one, 10), 1); got[0] != "NEXT.2" {
		t.Errorf("in the next stream it begins with %v, want what is new", got)
	}
	if consumers, err := jetstream.ConsumersOf(jstest.Context(t), theirs); err != nil || len(consumers) != 0 {
		t.Errorf("the stream before still has the consumers %v, error %v", consumers, err)
	}
}

// Two Channels cannot listen to the same subjects: NATS says so, with the stream's name.
func TestSubjectsOfAnotherStream(t *testing.T) {
	i := install(t)
	i.putChannel(channelOf("a", route.Log{Subjects: []string{"sensors.>"}}))
	for _, subjects := range [][]string{{"sensors.hall"}, {"kn.e.>"}} {
		b := channelOf("b", route.Log{Subjects: subjects})
		if _, err := i.owner.PutAddress(jstest.Context(t), b); err == nil || !strings.Contains(err.Error(), "overlap") {
			t.Errorf("%q: error %v, want that they overlap", subjects, err)
		}
	}
	if _, err := i.client.JetStream().Stream(jstest.Context(t), i.client.Names().Log(channelOf("b", route.Log{}).Key)); !errors.Is(err, natsjs.ErrStreamNotFound) {
		t.Errorf("its log: error %v, want that it is not there", err)
	}
}

// A work queue and a stream by interest have rules of their own: a cursor that NATS takes, at first and again after it was lost.
func TestAdoptingAStreamOfAnotherRetention(t *testing.T) {
	for name, retention := range map[string]natsjs.RetentionPolicy{"work queue": natsjs.WorkQueuePolicy, "interest": natsjs.InterestPolicy} {
		t.Run(name, func(t *testing.T) {
			i := install(t)
			config := aStream("theirs.>")
			config.Retention = retention
			i.foreign(config)
			channel := channelOf("c", route.Log{Stream: "THEIRS"})
			i.putChannel(channel)
			one := i.putSubscriber(subscriberOf(channel, "one"))
			i.native("theirs.1", "plain")
			i.sweep()
			jstest.Must(t, i.client.JetStream().DeleteConsumer(jstest.Context(t), "THEIRS", one.Consumer))
			i.sweep()
			i.native("theirs.2", "plain")
			source := open(t, i.client, one, 10)
			got := takeIDs(t, source, 1)
			if retention == natsjs.WorkQueuePolicy {
				got = append(got, takeIDs(t, source, 1)...)
			}
			if got[len(got)-1] != "THEIRS.2" { // without interest NATS keeps nothing
				t.Errorf("got %v", got)
			}
			i.putSubscriber(one)
		})
	}
}

// A removal that could not be asked for is not asked for later: by then the subscriber may be there again, with the same consumer.
func TestACursorInAnAdoptedStreamOutlivesARemovalThatWasAskedForWhileNATSWasAway(t *testing.T) {
	t.Parallel()
	i := install(t)
	channel := channelOf("c", route.Log{Stream: "THEIRS"})
	stream := i.foreign(aStream("theirs.>", i.client.Names().LogSubjects(channel.Key)))
	i.putChannel(channel)
	one := i.putSubscriber(subscriberOf(channel, "one"))
	i.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := i.owner.leaveStream(ctx, one); err == nil {
		t.Error("it is removed while NATS is away")
	}
	i.restart()
	look := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // a server that has just started may lose a question
		defer cancel()
		_, err := stream.Consumer(ctx, i.owner.consumerOf(one))
		return err
	}
	jstest.Await(t, "the server answers", func() bool { err := look(); return err == nil || errors.Is(err, natsjs.ErrConsumerNotFound) })
	for range 20 { // what was kept would come with the reconnect
		jstest.Must(t, look())
		loop.Sleep(t.Context(), 10*time.Millisecond)
	}
}
