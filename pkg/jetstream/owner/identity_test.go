package owner

import (
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// messagesIn is how many messages the stream has of these subjects.
func (i *installation) messagesIn(stream, subjects string) (count uint64) {
	i.t.Helper()
	handle, err := i.client.JetStream().Stream(jstest.Context(i.t), stream)
	jstest.Must(i.t, err)
	info, err := handle.Info(jstest.Context(i.t), natsjs.WithSubjectFilter(subjects))
	jstest.Must(i.t, err)
	for _, n := range info.State.Subjects {
		count += n
	}
	return count
}

func (i *installation) deadLetters(target route.Target) uint64 {
	i.t.Helper()
	return i.messagesIn(i.client.Names().DeadLetterStream(target.Key.Address), i.client.Names().DeadLetterSubject(target.Key))
}

func (i *installation) parked(target route.Target) uint64 {
	i.t.Helper()
	return i.messagesIn(i.client.Names().DirectedStream(target.Key.Address), i.client.Names().ParkedSubjectsOf(target.Key))
}

func (i *installation) due(target route.Target) uint64 {
	i.t.Helper()
	return i.messagesIn(i.client.Names().DirectedStream(target.Key.Address), i.client.Names().DirectedSubject(target.Key))
}

// failed is what becomes of work that the subscriber has refused.
func failed(w dispatch.Work) dispatch.Work {
	w.Failure = &dispatch.Failure{Destination: "http://subscriber.example/", Code: 400, Reason: "status 400", Body: []byte("no"), Attempts: 1}
	return w
}

// A stream of somebody else's is made anew, and counts from 1 again: its events are not those that had the same sequences before.
func TestTheEventsOfAStreamMadeAnewAreOthers(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.foreign(aStream("theirs.>"))
	channel := channelOf("c", route.Log{Stream: "THEIRS"})
	i.putChannel(channel)
	one := i.putSubscriber(subscriberOf(channel, "one"))
	store := storeOf(t, i.client, jstest.Table(channel))
	for _, incarnation := range []string{"first", "second"} {
		i.native("theirs.x", incarnation)
		source := open(t, i.client, one, 10)
		m := next(t, source)
		source.Stop()
		if string(m.Event.Data) != incarnation || m.Sequence != 1 {
			t.Fatalf("got event %d with %q, want the first one of the %s stream", m.Sequence, m.Event.Data, incarnation)
		}
		jstest.Must(t, store.Park(jstest.Context(t), one, m.Work, time.Now().Add(time.Hour)))
		m.Failure = &dispatch.Failure{Reason: "status 400", Code: 400}
		jstest.Must(t, store.DeadLetter(jstest.Context(t), one, m.Work))
		jstest.Must(t, m.Ack())
		jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), "THEIRS"))
		i.foreign(aStream("theirs.>"))
		i.putSubscriber(one)
	}
	if n := i.deadLetters(one); n != 2 {
		t.Errorf("%d dead letters are kept, want that of each stream", n)
	}
	if n := i.parked(one); n != 2 {
		t.Errorf("%d events are parked, want that of each stream", n)
	}
}

// The PubAck of a parking is lost, so that the event is parked a second time, for a later moment, when it was sent already.
func TestWhatIsParkedTwiceComesOnce(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.publish(1, 2, "a")
	source := open(t, i.client, all, 10)
	m := next(t, source)
	defer source.Stop()
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.Park(jstest.Context(t), all, m.Work, time.Now()))
	jstest.Await(t, "it is due", func() bool { return i.due(all) == 1 })
	m.Attempt++ // meanwhile it was tried here
	jstest.Must(t, store.Park(jstest.Context(t), all, m.Work, time.Now()))
	jstest.Must(t, m.Ack())

	// What is parked later comes later.
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("last", 99), time.Now()))
	jstest.Await(t, "what was parked last is due", func() bool { return i.parked(all) == 0 && i.lastDue(all) == "last" })
	if n := i.due(all); n != 2 {
		t.Errorf("%d messages are due, want each event once", n)
	}
}

// lastDue is the id of the event that was due last.
func (i *installation) lastDue(target route.Target) string {
	i.t.Helper()
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), i.client.Names().DirectedStream(target.Key.Address))
	jstest.Must(i.t, err)
	m, err := stream.GetLastMsgForSubject(jstest.Context(i.t), i.client.Names().DirectedSubject(target.Key))
	jstest.Must(i.t, err)
	return m.Header.Get("ce-" + event.ID)
}

// What comes back may be parked as it came, at once: it must not be taken for what was parked before.
func TestWhatCameBackIsParkedAgain(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.publish(1, 2, "a")
	source := open(t, i.client, all, 10)
	m := next(t, source)
	source.Stop()
	store := storeOf(t, i.client, jstest.Table(i.broker))
	back := directed(t, i.client, all)
	defer back.Stop()
	for range 3 {
		jstest.Must(t, store.Park(jstest.Context(t), all, m.Work, time.Now()))
		jstest.Must(t, m.Ack())
		m = next(t, back)
	}
	jstest.Must(t, m.Ack())
}

// What a later run brings of an event neither replaces nor passes for what the event itself has brought, and the other way round.
func TestALaterRunIsOtherWork(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	live := dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 1, Stored: time.Unix(7, 7).UTC()}
	again := live
	again.Run = 1
	soon := time.Now().Add(time.Second)
	for range 2 {
		for _, work := range []dispatch.Work{live, again} {
			jstest.Must(t, store.Reply(jstest.Context(t), all, work, jstest.Event("reply", "b")))
			jstest.Must(t, store.DeadLetter(jstest.Context(t), all, failed(work)))
			jstest.Must(t, store.Park(jstest.Context(t), all, work, soon))
		}
	}
	if n := i.deadLetters(all); n != 2 {
		t.Errorf("%d dead letters, want one of each run", n)
	}
	if n := i.storedIDs()["reply"]; n != 2 {
		t.Errorf("%d replies, want one of each run", n)
	}
	source := directed(t, i.client, all)
	defer source.Stop()
	runs := map[uint64]bool{}
	for range 2 {
		m := next(t, source)
		runs[m.Run] = true
		jstest.Must(t, m.Ack())
	}
	if len(runs) != 2 {
		t.Errorf("the runs %v came, want both", runs)
	}
}

// What an earlier version has parked, which wrote neither the time nor the run, comes as the event itself.
func TestWhatAnEarlierVersionHasParked(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("1", 1), time.Now().Add(time.Hour))) // makes the stream
	m := codec.EncodeWork(dispatch.Work{Event: jstest.Event("2", "a"), Sequence: 2, Attempt: 3})
	m.Subject = strings.Replace(i.client.Names().ParkedSubjectsOf(all.Key), "*", "2", 1)
	m.Header["Nats-Schedule"] = []string{"@at " + time.Now().UTC().Format(time.RFC3339Nano)}
	m.Header["Nats-Schedule-Target"] = []string{i.client.Names().DirectedSubject(all.Key)}
	_, err := i.client.JetStream().PublishMsg(jstest.Context(t), m)
	jstest.Must(t, err)
	source := directed(t, i.client, all)
	defer source.Stop()
	got := next(t, source)
	jstest.SameWork(t, got.Work, dispatch.Work{Event: jstest.Event("2", "a"), Sequence: 2, Attempt: 3})
	jstest.Must(t, got.Ack())
}
