package owner

import (
	"errors"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// directed reads what is parked for the target as a process does in which no other target is served.
func directed(t testing.TB, c *jetstream.Client, target route.Target) reading {
	t.Helper()
	p := alone(t, c, target, 10)
	return reading{p.Directed(target), p}
}

func TestParkedWorkComesBackWhole(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	source := directed(t, i.client, all) // before there is anything to read
	defer source.Stop()
	reply, stored := jstest.Event("reply", "b"), time.Unix(1_700_000_000, 123_456_789).UTC()

	for _, c := range []struct {
		name  string
		work  dispatch.Work
		after time.Duration
	}{
		{"a first retry", dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 1, Attempt: 1}, 300 * time.Millisecond},
		{"on its way to the dead letter sink", jstest.Work("2", 2), 700 * time.Millisecond},
		{"a time that has passed", jstest.Work("3", 3), -time.Hour},
		{"a later run, of an event whose time is known", dispatch.Work{
			Event: jstest.Event("5", "a"), Sequence: 5, Stored: stored, Run: 1<<64 - 1, Attempt: 1, Unstored: 7,
		}, 300 * time.Millisecond},
		{"with a reply that is not accepted yet", dispatch.Work{Event: jstest.Event("4", "a"), Sequence: 4, Attempt: 2, Reply: &reply}, 300 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			due := time.Now().Add(c.after)
			jstest.Must(t, store.Park(jstest.Context(t), all, c.work, due))
			m := next(t, source)
			if early := time.Until(due); early > 0 {
				t.Errorf("it came %s too early", early)
			}
			if late := time.Since(due); c.after > 0 && late > 5*time.Second {
				t.Errorf("it came %s too late", late)
			}
			jstest.SameWork(t, m.Work, c.work)
			jstest.Must(t, m.Ack())
		})
	}
	jstest.Await(t, "nothing is left", func() bool { return i.parkedMessages() == 0 })
}

func (i *installation) parkedMessages() uint64 {
	i.t.Helper()
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), i.client.Names().DirectedStream(i.broker.Key))
	jstest.Must(i.t, err)
	return stream.CachedInfo().State.Msgs
}

func TestParkingTheSameWorkAgainReplacesIt(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	// Messages that brought the same work, as when one was delivered twice.
	work := dispatch.Work{Event: jstest.Event("1", "a"), Sequence: 1}
	for work.Attempt = range 3 {
		work.Directed = uint64(work.Attempt) //nolint:gosec // it counts from 0
		jstest.Must(t, store.Park(jstest.Context(t), all, work, time.Now().Add(time.Hour)))
	}
	soon := time.Now().Add(300 * time.Millisecond)
	work.Attempt, work.Directed = 3, 3
	jstest.Must(t, store.Park(jstest.Context(t), all, work, soon))
	jstest.Must(t, store.Park(jstest.Context(t), all, work, soon)) // a second try of the same call
	if n := i.parkedMessages(); n != 1 {
		t.Errorf("%d messages are parked, want 1", n)
	}
	source := directed(t, i.client, all)
	defer source.Stop()
	m := next(t, source)
	if m.Attempt != 3 {
		t.Errorf("attempt %d came, want the one parked last", m.Attempt)
	}
	jstest.Must(t, m.Ack())
	jstest.Await(t, "nothing is left", func() bool { return i.parkedMessages() == 0 })
}

// The schedule of a parked event is by the clock of NATS. A filter whose own clock is behind must not use up its retries at once, nor
// one whose clock is ahead keep them waiting.
func TestParkedWorkComesInTimeThoughClocksDiffer(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			t.Parallel()
			now := func() time.Time { return time.Now().Add(off) }
			i := install(t, func(c *jetstream.Client) { c.Timing().Now = now })
			all := i.put(i.trigger("all"))
			store := storeOf(t, i.client, jstest.Table(i.broker))
			source := directed(t, i.client, all)
			defer source.Stop()
			begin := time.Now()
			jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("1", 1), now().Add(2*time.Second)))
			m := next(t, source)
			if took := time.Since(begin); took < time.Second {
				t.Errorf("it came after %s, want 2 s", took)
			}
			jstest.Must(t, m.Ack())
		})
	}
}

func TestTargetsGetOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	i := install(t)
	one, two := i.put(i.trigger("one")), i.put(i.trigger("two"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.Park(jstest.Context(t), two, jstest.Work("2", 1), time.Now()))
	jstest.Must(t, store.Park(jstest.Context(t), one, jstest.Work("1", 1), time.Now()))
	for _, c := range []struct {
		target route.Target
		want   string
	}{{one, "1"}, {two, "2"}} {
		source := directed(t, i.client, c.target)
		m := next(t, source)
		if have := m.Event.Attr(event.ID); have != c.want {
			t.Errorf("%s got event %s, want %s", c.target.Key.Name, have, c.want)
		}
		jstest.Must(t, m.Ack())
		source.Stop()
	}
}

func TestParkedWorkSurvivesARestartAndReachesAnotherProcess(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))

	source := directed(t, dial(t, i.server, brisk), all)
	defer source.Stop()

	due := time.Now().Add(1500 * time.Millisecond)
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("1", 1), due))
	i.server.Stop()
	i.server.Restart()
	m := next(t, source)
	if early := time.Until(due); early > 0 {
		t.Errorf("it came %s too early", early)
	}
	jstest.SameWork(t, m.Work, jstest.Work("1", 1))
	jstest.Must(t, m.Ack())
}

// A Trigger is removed, swept, and made again: what was parked for the former one is gone.
func TestWhatWasParkedForATargetIsSweptWithIt(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("1", 1), time.Now().Add(time.Hour)))
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
	i.sweep()
	if n := i.parkedMessages(); n != 0 {
		t.Errorf("%d messages are parked for a Trigger that is gone", n)
	}
	all = i.put(i.trigger("all"))
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("2", 2), time.Now()))
	source := directed(t, i.client, all)
	defer source.Stop()
	jstest.Must(t, next(t, source).Ack())
}

func TestADirectedStreamDeletedByHandIsMadeAgain(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("1", 1), time.Now().Add(time.Hour)))
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), i.client.Names().DirectedStream(i.broker.Key)))

	begin := time.Now()
	if err := store.Park(jstest.Context(t), all, jstest.Work("2", 2), time.Now()); !errors.Is(err, publish.ErrNotStored) {
		t.Errorf("error %v, want ErrNotStored: the stream is gone", err)
	}
	if took := time.Since(begin); took > jetstream.PublishBudget/2 {
		t.Errorf("it took %s to find that out", took)
	}
	i.sweep()
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("2", 2), time.Now()))
	source := directed(t, i.client, all)
	defer source.Stop()
	jstest.Must(t, next(t, source).Ack())
}

func TestParkingIsRefusedWhenAsMuchIsParkedAsTheLogMayHold(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.broker = brokerOf("small", 32<<10)
	i.putBroker()
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	work := jstest.Work("1", 1)
	work.Event.Data = make([]byte, 8<<10)
	var err error
	jstest.Await(t, "the limit is reached", func() bool {
		work.Sequence++
		err = store.Park(jstest.Context(t), all, work, time.Now().Add(time.Hour))
		return err != nil
	})
	if !errors.Is(err, dispatch.ErrParkFull) {
		t.Errorf("error %v, want ErrParkFull", err)
	}
	if n := i.parkedMessages(); n > 5 {
		t.Errorf("%d messages of 8 KiB are parked, want no more than 32 KiB, and the one that reached them", n)
	}
}

func TestStoppingADirectedSource(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	source := directed(t, i.client, all)
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("1", 1), time.Now()))
	jstest.Await(t, "the message is on its way", func() bool {
		consumer, err := i.client.JetStream().Consumer(jstest.Context(t), i.client.Names().DirectedStream(i.broker.Key), i.client.Names().SharedConsumer())
		jstest.Must(t, err)
		return consumer.CachedInfo().NumAckPending == 1
	})
	source.Stop()
	begin := time.Now()
	again := directed(t, i.client, all)
	defer again.Stop()
	jstest.Must(t, next(t, again).Ack())
	if took := time.Since(begin); took > jetstream.AckWait/2 {
		t.Errorf("what it gave back came after %s", took)
	}
}

// An operator sends one event to one target alone, without any of our headers.
func TestADirectedMessageThatWasSentByHand(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("1", 1), time.Now()))
	source := directed(t, i.client, all)
	defer source.Stop()
	jstest.Must(t, next(t, source).Ack())

	envelope := `{"specversion":"1.0","id":"by hand","source":"/operator","type":"a"}`
	_, err := i.client.JetStream().Publish(jstest.Context(t), i.client.Names().DirectedSubject(all.Key), []byte(envelope))
	jstest.Must(t, err)
	m := next(t, source)
	if m.Event.Attr(event.ID) != "by hand" || m.Sequence == 0 || m.Attempt != 0 || m.Failure != nil {
		t.Errorf("got %+v", m.Work)
	}
	jstest.Must(t, m.Ack())
}

// What foreign hands have broken comes as a dead letter at once: it does not lie in the stream for ever.
func TestADirectedMessageThatCannotBeRead(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store := storeOf(t, i.client, jstest.Table(i.broker))
	jstest.Must(t, store.Park(jstest.Context(t), all, jstest.Work("1", 1), time.Now()))
	source := directed(t, i.client, all)
	defer source.Stop()
	jstest.Must(t, next(t, source).Ack())

	m := codec.EncodeWork(dispatch.Work{Event: jstest.Event("2", "a"), Sequence: 2})
	m.Header.Set(codec.HeaderAttempt, "many")
	m.Subject = i.client.Names().DirectedSubject(all.Key)
	_, err := i.client.JetStream().PublishMsg(jstest.Context(t), m)
	jstest.Must(t, err)
	broken := next(t, source)
	if broken.Failure == nil || broken.Sequence != 2 || broken.Event.Attr(event.ID) != "2" {
		t.Fatalf("got %+v with %+v, want a dead letter", broken.Work, broken.Failure)
	}
	jstest.Must(t, store.DeadLetter(jstest.Context(t), all, broken.Work))
	jstest.Must(t, broken.Ack())
	jstest.Await(t, "nothing is left", func() bool { return i.parkedMessages() == 0 })
}

// The largest event that the log takes can be parked and become a dead letter, whatever has happened to it.
