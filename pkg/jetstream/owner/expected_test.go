package owner

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/park"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// usurp deletes a stream by hand and makes another one that listens to its subjects.
func (i *installation) usurp(stream string) {
	i.t.Helper()
	handle, err := i.client.JetStream().Stream(jstest.Context(i.t), stream)
	jstest.Must(i.t, err)
	jstest.Must(i.t, i.client.JetStream().DeleteStream(jstest.Context(i.t), stream))
	config := handle.CachedInfo().Config
	config.Name = "OTHER"
	_, err = i.client.JetStream().CreateStream(jstest.Context(i.t), config)
	jstest.Must(i.t, err)
}

// soon is less time than a repair takes.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestAnEventInAnotherStreamIsNotStored(t *testing.T) {
	t.Parallel()
	adopting := route.Address{
		Key: route.Key{Kind: route.KindChannel, Namespace: "shop", Name: "adopting"}, UID: "uid-adopting", Log: route.Log{Stream: "THEIRS"},
	}
	for name, address := range map[string]route.Address{"a log of ours": brokerOf("orders", 16<<20), "an adopted stream": adopting} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			i.broker = address
			theirs := natsjs.StreamConfig{Name: "THEIRS", Subjects: []string{i.client.Names().LogSubjects(address.Key)}}
			if address.Log.Stream != "" {
				_, err := i.client.JetStream().CreateStream(jstest.Context(t), theirs)
				jstest.Must(t, err)
			}
			i.putBroker()
			p := publisherOf(t, i.client)
			i.usurp(i.client.LogOf(address))

			stored, err := p.Publish(soon(t), address, []ingress.Message{jstest.Message("early", "a")})
			if stored != 0 || !errors.Is(err, ingress.ErrUnavailable) {
				t.Errorf("stored %d, error %v; want none, ErrUnavailable", stored, err)
			}
			if n := i.messagesIn("OTHER", jetstream.Everything); n != 0 {
				t.Errorf("the other stream has %d messages, want none", n)
			}

			published := make(chan error, 1)
			before := i.client.EventsConn().Stats().OutMsgs
			go func() {
				_, err := p.Publish(jstest.Context(t), address, []ingress.Message{jstest.Message("late", "a")})
				published <- err
			}()
			jstest.Await(t, "the event is sent", func() bool { return i.client.EventsConn().Stats().OutMsgs > before })
			jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), "OTHER"))
			if address.Log.Stream != "" {
				_, err := i.client.JetStream().CreateStream(jstest.Context(t), theirs)
				jstest.Must(t, err)
			}
			i.sweep() // it makes a log of ours again
			jstest.Must(t, <-published)
			if n := i.messagesIn(i.client.LogOf(address), jetstream.Everything); n != 1 {
				t.Errorf("the stream of the address has %d messages, want the late one", n)
			}
		})
	}
}

// recordedAddress returns the Broker's address as its record has it.
func (i *installation) recordedAddress() route.Address {
	i.t.Helper()
	r, found, err := Record(jstest.Context(i.t), i.client, naming.AddressKey(i.broker.Key))
	jstest.Must(i.t, err)
	if !found {
		i.t.Fatal("the address has no record")
	}
	return *r.Address
}

// fromNow has the sequences of new streams begin by time, as they do outside of tests.
func fromNow(c *jetstream.Client) { c.Timing().FirstSequence = jetstream.DefaultTiming().FirstSequence }

func TestTheRouteKnowsWhereItsLogBegins(t *testing.T) {
	t.Parallel()
	before := jetstream.DefaultTiming().FirstSequence()
	i := install(t, fromNow)
	first := i.recordedAddress().Log.First
	if first < before || first > jetstream.DefaultTiming().FirstSequence() {
		t.Errorf("the log begins at %d, want the time when it was made, after %d", first, before)
	}
	i.publish(0, 3, "a")
	i.putBroker()
	if again := i.recordedAddress().Log.First; again != first {
		t.Errorf("written again it begins at %d, want %d as before", again, first)
	}
}

// A stream of the log's name that somebody has made by hand begins at 1: the filters look for events behind their cursors.
func TestAnEventBelowTheFirstSequenceIsNotStored(t *testing.T) {
	t.Parallel()
	i := install(t, fromNow)
	address := i.recordedAddress()
	p := publisherOf(t, i.client)
	stored, err := p.Publish(jstest.Context(t), address, []ingress.Message{jstest.Message("first", "a")})
	if stored != 1 || err != nil {
		t.Fatalf("stored %d: %v", stored, err)
	}
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), i.client.Names().Log(address.Key)))
	_, err = i.client.JetStream().CreateStream(jstest.Context(t), logConfig(i.client.Names(), i.broker))
	jstest.Must(t, err)
	stored, err = p.Publish(soon(t), address, []ingress.Message{jstest.Message("second", "a")})
	if stored != 0 || !errors.Is(err, ingress.ErrUnavailable) {
		t.Errorf("stored %d, error %v; want none, ErrUnavailable", stored, err)
	}
}

// The owner that makes a log again may have a clock that is behind.
func TestALogThatIsMadeAgainBeginsNoEarlier(t *testing.T) {
	t.Parallel()
	i := install(t, fromNow)
	address := i.recordedAddress()
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), i.client.Names().Log(address.Key)))
	i.client.Timing().FirstSequence = one
	i.sweep()
	stored, err := publisherOf(t, i.client).Publish(jstest.Context(t), address, []ingress.Message{jstest.Message("first", "a")})
	if stored != 1 || err != nil {
		t.Errorf("stored %d, error %v; want 1", stored, err)
	}
}

// What a filter stores is not done either when another stream has it.
func TestWhatAFilterPutsIntoAnotherStreamIsNotStored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream func(naming.Names, route.Key) string
		store  func(context.Context, *park.Store, route.Target) error
	}{
		"a dead letter": {
			naming.Names.DeadLetterStream,
			func(ctx context.Context, s *park.Store, t route.Target) error {
				return s.DeadLetter(ctx, t, someWork())
			},
		},
		"a parked event": {
			naming.Names.DirectedStream,
			func(ctx context.Context, s *park.Store, t route.Target) error {
				return s.Park(ctx, t, someWork(), time.Now().Add(time.Hour))
			},
		},
		"a reply": {
			naming.Names.Log,
			func(ctx context.Context, s *park.Store, t route.Target) error {
				return s.Reply(ctx, t, someWork(), jstest.Event("reply", "a"))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			target := i.put(i.trigger("all"))
			store := storeOf(t, i.client, jstest.Table(i.broker))
			jstest.Must(t, c.store(jstest.Context(t), store, target))
			i.usurp(c.stream(i.client.Names(), i.broker.Key))
			if err := c.store(soon(t), store, target); !errors.Is(err, publish.ErrNotStored) {
				t.Errorf("error %v, want ErrNotStored", err)
			}
			if n := i.messagesIn("OTHER", jetstream.Everything); n != 0 {
				t.Errorf("the other stream has %d messages, want none", n)
			}
		})
	}
}

func someWork() dispatch.Work {
	return dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 1, Failure: &dispatch.Failure{Destination: "http://x.example", Code: 500}}
}

// smallBatch are events that are as small as they can be.
func smallBatch(n int) []ingress.Message {
	batch := make([]ingress.Message, n)
	for i := range batch {
		batch[i] = jstest.Message(strconv.FormatUint(uint64(i), 10), "a") //nolint:gosec // not negative
	}
	return batch
}

func TestABatchOfAnyLengthIsStored(t *testing.T) {
	t.Parallel()
	i := install(t)
	const events = 16_385
	stored, err := publisherOf(t, i.client).Publish(jstest.Context(t), i.broker, smallBatch(events))
	if n := i.messagesIn(i.client.Names().Log(i.broker.Key), jetstream.Everything); stored != events || err != nil || n != uint64(events) {
		t.Errorf("stored %d, error %v, and the log has %d; want %d", stored, err, n, events)
	}
}

// Of a batch that does not fit it is said how many events are stored, which are the first ones.
func TestHowManyOfALongBatchAreStored(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.broker = brokerOf("small", 512<<10)
	i.putBroker()
	batch := smallBatch(4 * inOneChunk)
	stored, err := publisherOf(t, i.client).Publish(jstest.Context(t), i.broker, batch)
	ids := i.storedIDs()
	if !errors.Is(err, ingress.ErrLogFull) || stored != len(ids) || stored <= inOneChunk || stored == len(batch) {
		t.Fatalf("stored %d, and the log has %d; error %v; want more than a chunk of %d", stored, len(ids), err, len(batch))
	}
	for n := range inOneChunk {
		if id := batch[n].Event.Attr(event.ID); ids[id] != 1 {
			t.Errorf("event %s is stored %d times, want once", id, ids[id])
		}
	}
}

// inOneChunk is how many messages of one publish are on their way at a time.
const inOneChunk = 1024
