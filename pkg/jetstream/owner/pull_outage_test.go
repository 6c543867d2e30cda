package owner

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// An acknowledgement that was on its way when the server went is lost, and its event comes once more; nothing else does.
func TestPullingResumesAfterARestartOfTheServer(t *testing.T) {
	t.Parallel()
	i := install(t, brisk, func(c *jetstream.Client) { c.Timing().AckWait = 5 * time.Second }) // the server stores the time in whole seconds
	all := i.put(i.trigger("all"))
	i.publish(0, 100, "a")
	source := open(t, i.client, all, 10)
	defer source.Stop()
	takeAll(t, source, 0, 30)
	jstest.Await(t, "30 are acknowledged", func() bool { return i.floorOf(all) >= 30 })
	held := next(t, source)

	i.stop()
	jstest.Must(t, held.Ack()) // is sent after the reconnect
	i.restart()
	i.publish(100, 150, "a")

	ids := takeAll(t, source, 31, 150)
	if slices.Contains(ids, held.Event.Attr(event.ID)) {
		t.Errorf("event %s came again, although it was acknowledged while the server was away", held.Event.Attr(event.ID))
	}
	i.takeUntilDone(source, all)
}

// takeUntilDone acknowledges what comes again until nothing is left.
func (i *installation) takeUntilDone(source dispatch.Source, target route.Target) {
	i.t.Helper()
	jstest.Await(i.t, "everything is acknowledged", func() bool {
		for {
			m, ok := source.Take()
			if !ok {
				info := i.consumerInfo(target)
				return info.NumPending == 0 && info.NumAckPending == 0
			}
			jstest.Must(i.t, m.Ack())
		}
	})
}

func TestAConsumerDeletedByHandIsRepairedWithoutLoss(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	all := i.put(i.trigger("all"))
	i.publish(0, 100, "a")
	source := open(t, i.client, all, 10)
	defer source.Stop()
	takeAll(t, source, 0, 40)
	jstest.Await(t, "40 are acknowledged", func() bool { return i.floorOf(all) == 40 })
	i.sweep() // remembers the floor
	takeAll(t, source, 40, 50)

	i.removeConsumer(all)
	if trimmed, err := trim.Once(jstest.Context(t), i.client, i.broker, 1); err == nil || trimmed != 0 {
		t.Errorf("the log was trimmed to %d, error %v, while a target lacked its consumer", trimmed, err)
	}
	i.publish(100, 120, "a")
	i.sweep()

	ids := takeAll(t, source, 50, 120)
	if slices.Contains(ids, "39") {
		t.Error("the cursor is back before its last known floor")
	}
	i.consumerIsDone(all)
}

func TestAMissingConsumerIsAskedForNowAndThen(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.removeConsumer(all)
	source := open(t, i.client, all, 10)
	defer source.Stop()
	before := i.client.Conn().Stats().OutMsgs
	<-time.After(2 * jetstream.RetryPause)
	if asked := i.client.Conn().Stats().OutMsgs - before; asked > 5 {
		t.Errorf("asked %d times in %s", asked, 2*jetstream.RetryPause)
	}
	i.publish(0, 5, "a")
	i.sweep()
	takeAll(t, source, 0, 5)
}

func TestAnOwnerThatKnowsNoFloorStartsAtTheFirstEvent(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.publish(0, 20, "a")
	i.removeConsumer(all)
	jstest.Must(t, New(i.client, "tests", shortGrace).Sweep(jstest.Context(t)))
	source := open(t, i.client, all, 10)
	defer source.Stop()
	takeAll(t, source, 0, 20)
}

func TestAPutBringsALostConsumerBackToo(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.publish(0, 20, "a")
	i.removeConsumer(all)
	i.put(all)
	source := open(t, i.client, all, 10)
	defer source.Stop()
	takeAll(t, source, 0, 20)
}

// A log that is made anew counts from 1 again. A floor of the old one must not make a cursor skip events of the new one.
func TestAFloorIsGoodForItsOwnLogOnly(t *testing.T) {
	t.Parallel()
	for _, remake := range []struct {
		name string
		by   func(*installation)
	}{
		{"by Sweep", (*installation).sweep},
		{"by PutAddress", (*installation).putBroker},
		{"by hand", func(i *installation) {
			_, err := i.client.JetStream().CreateStream(jstest.Context(i.t), logConfig(i.client.Names(), i.broker))
			jstest.Must(i.t, err)
		}},
	} {
		t.Run(remake.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			all := i.put(i.trigger("all"))
			i.publish(0, 50, "a")
			source := open(t, i.client, all, 10)
			defer source.Stop()
			takeAll(t, source, 0, 50)
			jstest.Await(t, "all are acknowledged", func() bool { return i.floorOf(all) == 50 })
			i.sweep() // remembers floor 50

			jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), i.client.Names().Log(i.broker.Key)))
			remake.by(i)
			i.publish(50, 70, "a")
			i.sweep()
			takeAll(t, source, 50, 70)
		})
	}
}

// A stored message that is no event must neither vanish nor hold the log: it comes as a dead letter.
func TestAnUnreadableMessageIsADeadLetter(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	_, err := i.client.JetStream().Publish(jstest.Context(t), i.client.Names().EventSubject(i.broker.Key, "a"), []byte("not an event"))
	jstest.Must(t, err)
	// Nor may one pass for a word of the server about a pull request.
	_, err = i.client.JetStream().PublishMsg(jstest.Context(t), &nats.Msg{
		Subject: i.client.Names().EventSubject(i.broker.Key, "a"), Header: nats.Header{"Status": {"409"}},
	})
	jstest.Must(t, err)
	i.publish(0, 10, "a")
	source := open(t, i.client, all, 5)
	defer source.Stop()
	for _, want := range []string{"not an event", ""} {
		m := next(t, source)
		if m.Failure == nil || m.Failure.Reason == "" || string(m.Event.Data) != want || m.Event.Attr(event.Type) == "" {
			t.Errorf("%+v with failure %+v, want a dead letter with the data %q", m.Event, m.Failure, want)
		}
		jstest.Must(t, m.Ack())
	}
	takeAll(t, source, 0, 10)
	i.consumerIsDone(all)
}

func (i *installation) logState() natsjs.StreamState {
	stream, err := i.client.JetStream().Stream(jstest.Context(i.t), i.client.Names().Log(i.broker.Key))
	jstest.Must(i.t, err)
	return stream.CachedInfo().State
}

// Work outlives a log that is deleted by hand and made again, and names events by sequence: no sequence comes twice.
func TestALogMadeAnewSharesNoSequence(t *testing.T) {
	t.Parallel()
	i := install(t, func(c *jetstream.Client) { *c.Timing() = jetstream.DefaultTiming() })
	all := i.put(i.trigger("all"))
	i.publish(0, 5, "a")
	before := i.logState().LastSeq
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), i.client.Names().Log(i.broker.Key)))
	i.sweep()
	i.publish(5, 10, "a")
	if first := i.logState().FirstSeq; first <= before {
		t.Errorf("the new log begins with %d, the old one ended with %d", first, before)
	}
	source := open(t, i.client, all, 5)
	defer source.Stop()
	takeAll(t, source, 5, 10)
	i.consumerIsDone(all)
}

func TestClosingEndsSourcesThatNobodyStopped(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.publish(0, 3, "a")
	victim := dial(t, i.server)
	source := open(t, victim, all, 3)
	next(t, source)
	kill(victim) // returns only when the goroutine has ended, although a lease is out
	source.Stop()
}
