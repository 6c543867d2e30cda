package jetstream

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// directed opens what is parked for the target as one process does.
func directed(t testing.TB, opener *Opener, target route.Target) dispatch.Source {
	t.Helper()
	source, err := opener.Directed(t.Context(), target, 10)
	must(t, err)
	return source
}

// sameWork compares without regard to the order of the attributes.
func sameWork(t *testing.T, got, want dispatch.Work) {
	t.Helper()
	for _, a := range want.Event.Attributes {
		if value := got.Event.Attr(a.Name); value != a.Value {
			t.Errorf("attribute %s is %q, want %q", a.Name, value, a.Value)
		}
	}
	if len(got.Event.Attributes) != len(want.Event.Attributes) || string(got.Event.Data) != string(want.Event.Data) {
		t.Errorf("the event is %+v, want %+v", got.Event, want.Event)
	}
	got.Event, want.Event = event.Event{}, event.Event{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the work is %+v with %+v, want %+v with %+v", got, got.Failure, want, want.Failure)
	}
}

func TestParkedWorkComesBackWhole(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store, opener := i.client.NewStore(tableOf(i.broker))
	source := directed(t, opener, all) // before there is anything to read
	defer source.Stop()
	reply := eventOf("reply", "b")

	for _, c := range []struct {
		name  string
		work  dispatch.Work
		after time.Duration
	}{
		{"a first retry", dispatch.Work{Event: eventOf("1", "a"), Sequence: 1, Attempt: 1}, 300 * time.Millisecond},
		{"on its way to the dead letter sink", workOf("2", 2), 700 * time.Millisecond},
		{"a time that has passed", workOf("3", 3), -time.Hour},
		{"with a reply that is not accepted yet", dispatch.Work{Event: eventOf("4", "a"), Sequence: 4, Attempt: 2, Reply: &reply}, 300 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			due := time.Now().Add(c.after)
			must(t, store.Park(budgetOf(t), all, c.work, due))
			m := next(t, source)
			if early := time.Until(due); early > 0 {
				t.Errorf("it came %s too early", early)
			}
			if late := time.Since(due); c.after > 0 && late > 5*time.Second {
				t.Errorf("it came %s too late", late)
			}
			sameWork(t, m.Work, c.work)
			must(t, m.Ack())
		})
	}
	await(t, "nothing is left", func() bool { return i.parkedMessages() == 0 })
}

func (i *installation) parkedMessages() uint64 {
	i.t.Helper()
	stream, err := i.client.js.Stream(budgetOf(i.t), i.client.names.DirectedStream(i.broker.Key))
	must(i.t, err)
	return stream.CachedInfo().State.Msgs
}

func TestParkingTheSameWorkAgainReplacesIt(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store, opener := i.client.NewStore(tableOf(i.broker))
	work := dispatch.Work{Event: eventOf("1", "a"), Sequence: 1}
	for work.Attempt = range 3 {
		must(t, store.Park(budgetOf(t), all, work, time.Now().Add(time.Hour)))
	}
	soon := time.Now().Add(300 * time.Millisecond)
	work.Attempt = 3
	must(t, store.Park(budgetOf(t), all, work, soon))
	must(t, store.Park(budgetOf(t), all, work, soon)) // a second try of the same call
	if n := i.parkedMessages(); n != 1 {
		t.Errorf("%d messages are parked, want 1", n)
	}
	source := directed(t, opener, all)
	defer source.Stop()
	m := next(t, source)
	if m.Attempt != 3 {
		t.Errorf("attempt %d came, want the one parked last", m.Attempt)
	}

	// The same attempt is parked once more, as when its reply could not be stored: that must not pass for a duplicate.
	must(t, store.Park(budgetOf(t), all, work, time.Now().Add(300*time.Millisecond)))
	must(t, m.Ack())
	m = next(t, source)
	if m.Attempt != 3 || m.Sequence != 1 {
		t.Errorf("got %+v", m.Work)
	}
	must(t, m.Ack())
	await(t, "nothing is left", func() bool { return i.parkedMessages() == 0 })
}

func TestTargetsGetOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	i := install(t)
	one, two := i.put(i.trigger("one")), i.put(i.trigger("two"))
	store, opener := i.client.NewStore(tableOf(i.broker))
	must(t, store.Park(budgetOf(t), two, workOf("2", 1), time.Now()))
	must(t, store.Park(budgetOf(t), one, workOf("1", 1), time.Now()))
	for _, c := range []struct {
		target route.Target
		want   string
	}{{one, "1"}, {two, "2"}} {
		source := directed(t, opener, c.target)
		m := next(t, source)
		if have := m.Event.Attr(event.ID); have != c.want {
			t.Errorf("%s got event %s, want %s", c.target.Key.Name, have, c.want)
		}
		must(t, m.Ack())
		source.Stop()
	}
}

func TestParkedWorkSurvivesARestartAndReachesAnotherProcess(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store, _ := i.client.NewStore(tableOf(i.broker))

	other := dial(t, i.server, brisk)
	_, opener := other.NewStore(tableOf(i.broker))
	running := make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer close(running)
		opener.Run(ctx)
	}()
	defer func() { stop(); <-running }()
	source := directed(t, opener, all)
	defer source.Stop()

	due := time.Now().Add(1500 * time.Millisecond)
	must(t, store.Park(budgetOf(t), all, workOf("1", 1), due))
	i.server.Stop()
	i.server.Restart()
	m := next(t, source)
	if early := time.Until(due); early > 0 {
		t.Errorf("it came %s too early", early)
	}
	sameWork(t, m.Work, workOf("1", 1))
	must(t, m.Ack())
}

// A Trigger is removed, swept, and made again: its directed consumer is gone, and the processes must notice.
func TestADirectedConsumerThatWasSweptIsForgotten(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	all := i.put(i.trigger("all"))
	store, opener := i.client.NewStore(tableOf(i.broker))
	must(t, store.Park(budgetOf(t), all, workOf("1", 1), time.Now().Add(time.Hour)))
	must(t, i.owner.RemoveTarget(budgetOf(t), all.Key))
	i.sweep()
	if n := i.parkedMessages(); n != 0 {
		t.Errorf("%d messages are parked for a Trigger that is gone", n)
	}
	must(t, opener.directory.read(budgetOf(t)))

	i.put(all)
	must(t, store.Park(budgetOf(t), all, workOf("2", 2), time.Now()))
	source := directed(t, opener, all)
	defer source.Stop()
	must(t, next(t, source).Ack())
}

func TestADirectedStreamDeletedByHandIsMadeAgain(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store, opener := i.client.NewStore(tableOf(i.broker))
	must(t, store.Park(budgetOf(t), all, workOf("1", 1), time.Now().Add(time.Hour)))
	must(t, i.client.js.DeleteStream(budgetOf(t), i.client.names.DirectedStream(i.broker.Key)))

	begin := time.Now()
	if err := store.Park(budgetOf(t), all, workOf("2", 2), time.Now()); !errors.Is(err, ErrNotStored) {
		t.Errorf("error %v, want ErrNotStored: the stream is gone", err)
	}
	if took := time.Since(begin); took > publishBudget/2 {
		t.Errorf("it took %s to find that out", took)
	}
	must(t, store.Park(budgetOf(t), all, workOf("2", 2), time.Now()))
	source := directed(t, opener, all)
	defer source.Stop()
	must(t, next(t, source).Ack())
}

func TestParkingIsRefusedWhenAsMuchIsParkedAsTheLogMayHold(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.broker = brokerOf("small", 32<<10)
	i.putBroker()
	all := i.put(i.trigger("all"))
	store, _ := i.client.NewStore(tableOf(i.broker))
	work := workOf("1", 1)
	work.Event.Data = make([]byte, 8<<10)
	var err error
	await(t, "the limit is reached", func() bool {
		work.Sequence++
		err = store.Park(budgetOf(t), all, work, time.Now().Add(time.Hour))
		return err != nil
	})
	if !errors.Is(err, ErrParkFull) {
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
	store, opener := i.client.NewStore(tableOf(i.broker))
	early := directed(t, opener, all)
	early.Stop() // while it waits for its consumer
	if _, open := <-early.Messages(); open {
		t.Error("a stopped source yields a message")
	}
	source := directed(t, opener, all)
	must(t, store.Park(budgetOf(t), all, workOf("1", 1), time.Now()))
	await(t, "the message is on its way", func() bool {
		consumer, err := i.client.js.Consumer(budgetOf(t), i.client.names.DirectedStream(i.broker.Key), all.Consumer)
		must(t, err)
		return consumer.CachedInfo().NumAckPending == 1
	})
	source.Stop()
	begin := time.Now()
	again := directed(t, opener, all)
	defer again.Stop()
	must(t, next(t, again).Ack())
	if took := time.Since(begin); took > ackWait/2 {
		t.Errorf("what it gave back came after %s", took)
	}
}

// An operator sends one event to one target alone, without any of our headers.
func TestADirectedMessageThatWasSentByHand(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store, opener := i.client.NewStore(tableOf(i.broker))
	must(t, store.Park(budgetOf(t), all, workOf("1", 1), time.Now()))
	source := directed(t, opener, all)
	defer source.Stop()
	must(t, next(t, source).Ack())

	envelope := `{"specversion":"1.0","id":"by hand","source":"/operator","type":"a"}`
	_, err := i.client.js.Publish(budgetOf(t), i.client.names.DirectedSubject(all.Key), []byte(envelope))
	must(t, err)
	m := next(t, source)
	if m.Event.Attr(event.ID) != "by hand" || m.Sequence == 0 || m.Attempt != 0 || m.Failure != nil {
		t.Errorf("got %+v", m.Work)
	}
	must(t, m.Ack())
}

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store, _ := i.client.NewStore(tableOf(i.broker))
	begin := time.Now()
	for range 3 {
		must(t, store.DeadLetter(budgetOf(t), all, workOf("1", 1)))
	}
	if took := time.Since(begin); took > publishBudget/2 {
		t.Errorf("the stream was made after %s", took)
	}
	must(t, store.DeadLetter(budgetOf(t), all, workOf("2", 2)))

	stream, err := i.client.js.Stream(budgetOf(t), i.client.names.DeadLetterStream(i.broker.Key))
	must(t, err)
	if n := stream.CachedInfo().State.Msgs; n != 2 {
		t.Errorf("%d dead letters are kept, want each once", n)
	}
	m, err := stream.GetLastMsgForSubject(budgetOf(t), i.client.names.DeadLetterSubject(all.Key))
	must(t, err)
	for name, want := range map[string]string{
		headerTarget: "shop/all", headerSequence: "2", headerDestination: "http://subscriber.example/", headerCode: "503",
		headerReason: "status 503", headerBody: "YnVzeQ0KAA==", headerAttempts: "4", headerSinkTries: "1",
	} {
		if have := m.Header.Get(name); have != want {
			t.Errorf("header %s is %q, want %q", name, have, want)
		}
	}
	e, err := event.FromNATS(m.Header, m.Data)
	must(t, err)
	sameWork(t, dispatch.Work{Event: e}, dispatch.Work{Event: eventOf("2", "a")})
}

func TestAFullDeadLetterStreamRefuses(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.broker = brokerOf("small", 16<<10)
	i.putBroker()
	all := i.put(i.trigger("all"))
	store, _ := i.client.NewStore(tableOf(i.broker))
	work := workOf("1", 1)
	work.Event.Data = make([]byte, 10<<10)
	must(t, store.DeadLetter(budgetOf(t), all, work))
	work.Sequence = 2
	if err := store.DeadLetter(budgetOf(t), all, work); !errors.Is(err, ErrNotStored) || !isLogFull(err) {
		t.Errorf("error %v, want ErrNotStored because it is full", err)
	}
}

// The largest event that the log takes can be parked and become a dead letter, whatever has happened to it.
func TestTheLargestEventCanBeParkedAndBecomeADeadLetter(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	store, _ := i.client.NewStore(tableOf(i.broker))
	long := strings.Repeat("x", 5000)
	largest := ingress.Message{ID: strings.Repeat("i", 32), Event: eventOf("1", "a").With("big", strings.Repeat("b", 61_000))}
	for largest.Event.Data = []byte{}; ; {
		more := largest
		more.Event.Data = make([]byte, len(largest.Event.Data)+500)
		if _, err := i.client.eventMessage(i.broker.Key, more); err != nil {
			break
		}
		largest = more
	}
	work := dispatch.Work{
		Event: largest.Event, Sequence: 1<<63 - 1, Attempt: 1 << 30,
		Failure: &dispatch.Failure{
			Destination: "http://" + long, Code: 503, Body: []byte(long), Reason: long, Attempts: 1 << 30, SinkAttempts: 1 << 30,
		},
	}
	must(t, store.Park(budgetOf(t), all, work, time.Now().Add(time.Hour)))
	must(t, store.DeadLetter(budgetOf(t), all, work))
}
