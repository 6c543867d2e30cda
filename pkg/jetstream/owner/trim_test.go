package owner

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// finish takes and acknowledges everything from..to-1 that the target gets.
func (i *installation) finish(target route.Target, from, to int) {
	i.t.Helper()
	source := open(i.t, i.client, target, 50)
	takeAll(i.t, source, from, to)
	source.Stop()
	jstest.Await(i.t, target.Key.Name+" has acknowledged all", func() bool { return i.consumerInfo(target).NumAckPending == 0 })
}

// first is the first sequence that the log still has.
func (i *installation) first() uint64 {
	i.t.Helper()
	return i.reading().State.FirstSeq
}

func TestTrim(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(*installation)
		worth   uint64
		// want is the first event left of the 100 that were published.
		want  uint64
		fails bool
	}{
		{
			name:    "without consumers the log is emptied",
			arrange: func(i *installation) { i.publish(0, 100, "a", "b") },
			want:    101,
		},
		{
			name: "what one target has not got stays",
			arrange: func(i *installation) {
				one, two := i.put(i.trigger("one")), i.put(i.trigger("two"))
				i.publish(0, 100, "a", "b")
				p := i.process(i.client)
				p.knows(one, two)
				takeAll(i.t, p.Log(one), 0, 100)
				takeAll(i.t, p.Log(two), 0, 30)
				jstest.Await(i.t, "its floor", func() bool { return i.floorOf(two) == 30 })
			},
			want: 31,
		},
		{
			name: "a removed target without its consumer does: in its grace period it may come back to where it stood",
			arrange: func(i *installation) {
				i.graceful()
				one := i.put(i.trigger("one"))
				i.publish(0, 100, "a", "b")
				jstest.Must(i.t, i.client.JetStream().DeleteConsumer(jstest.Context(i.t), i.client.Names().Log(i.broker.Key), one.Consumer))
				jstest.Must(i.t, i.owner.RemoveTarget(jstest.Context(i.t), one.Key))
			},
			want: 1, fails: true,
		},
		{
			name: "but not after that period",
			arrange: func(i *installation) {
				one := i.put(i.trigger("one"))
				i.publish(0, 100, "a", "b")
				jstest.Must(i.t, i.client.JetStream().DeleteConsumer(jstest.Context(i.t), i.client.Names().Log(i.broker.Key), one.Consumer))
				jstest.Must(i.t, i.owner.RemoveTarget(jstest.Context(i.t), one.Key))
				i.sweep()
			},
			want: 101,
		},
		{
			name: "an event that is being delivered stays, and all that follow it",
			arrange: func(i *installation) {
				one := i.put(i.trigger("one"))
				i.publish(0, 100, "a", "b")
				source := open(i.t, i.client, one, 100)
				held := next(i.t, source)
				takeAll(i.t, source, 1, 100)
				if held.Sequence != 1 {
					i.t.Fatalf("held %d", held.Sequence)
				}
				i.t.Cleanup(func() { _ = held.Ack() })
			},
			want: 1,
		},
		{
			name: "an idle consumer whose filter takes nothing of it does not hold the log",
			arrange: func(i *installation) {
				i.put(i.trigger("idle", "never.published"))
				one := i.put(i.trigger("one"))
				i.publish(0, 100, "a", "b")
				i.finish(one, 0, 100)
			},
			want: 101,
		},
		{
			name: "a foreign consumer with a filter holds it from the first event that it takes",
			arrange: func(i *installation) {
				_, err := i.client.JetStream().CreateConsumer(jstest.Context(i.t), i.client.Names().Log(i.broker.Key), natsjs.ConsumerConfig{
					Durable: "backup", AckPolicy: natsjs.AckExplicitPolicy, FilterSubject: i.client.Names().EventSubject(i.broker.Key, "b"),
				})
				jstest.Must(i.t, err)
				i.publish(0, 60, "a")
				i.publish(60, 100, "a", "b") // 61 is the first of type b: sequence 62
			},
			want: 62,
		},
		{
			name: "a foreign consumer holds it",
			arrange: func(i *installation) {
				_, err := i.client.JetStream().CreateConsumer(jstest.Context(i.t), i.client.Names().Log(i.broker.Key), natsjs.ConsumerConfig{
					Durable: "backup", AckPolicy: natsjs.AckExplicitPolicy,
				})
				jstest.Must(i.t, err)
				i.publish(0, 100, "a", "b")
			},
			want: 1,
		},
		{
			name: "a mirror that lacks events does not: it is no consumer that could be seen",
			arrange: func(i *installation) {
				log := i.client.Names().Log(i.broker.Key)
				mirror, err := i.client.JetStream().CreateStream(jstest.Context(i.t), natsjs.StreamConfig{
					Name: "mirror", Mirror: &natsjs.StreamSource{Name: log}, MaxMsgs: 10, Discard: natsjs.DiscardNew,
				})
				jstest.Must(i.t, err)
				i.publish(0, 100, "a", "b")
				jstest.Await(i.t, "the mirror has what it takes", func() bool {
					info, err := mirror.Info(jstest.Context(i.t))
					return err == nil && info.State.Msgs == 10
				})
			},
			want: 101,
		},
		{
			name: "a target without its consumer holds it",
			arrange: func(i *installation) {
				one := i.put(i.trigger("one"))
				i.publish(0, 100, "a", "b")
				i.removeConsumer(one)
			},
			want: 1, fails: true,
		},
		{
			name: "a target that never was ready does not",
			arrange: func(i *installation) {
				target := i.trigger("unready")
				target.NotReady = "its subscriber cannot be resolved"
				i.put(target)
				i.publish(0, 100, "a", "b")
			},
			want: 101,
		},
		{
			name: "what the history window covers stays",
			arrange: func(i *installation) {
				i.broker.Log.History = time.Hour
				i.publish(0, 100, "a", "b")
			},
			want: 1,
		},
		{
			name: "too little to be worth it",
			arrange: func(i *installation) {
				i.publish(0, 100, "a", "b")
			},
			worth: 1 << 20, want: 1,
		},
		{
			name: "without routes nothing is known, so nothing is trimmed",
			arrange: func(i *installation) {
				i.publish(0, 100, "a", "b")
				jstest.Must(i.t, i.client.JetStream().DeleteKeyValue(jstest.Context(i.t), i.client.Names().RoutesBucket()))
			},
			want: 1, fails: true,
		},
		{
			name:    "an empty log",
			arrange: func(*installation) {},
			want:    1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			c.arrange(i)
			before := i.first()
			trimmed, err := trim.Once(jstest.Context(t), i.client, i.broker, max(c.worth, 1))
			if (err != nil) != c.fails {
				t.Errorf("error %v, want one: %v", err, c.fails)
			}
			if have := i.first(); have != c.want {
				t.Errorf("the log begins with %d, want %d", have, c.want)
			}
			if moved := before != c.want; (trimmed != 0) != moved || (moved && trimmed != c.want) {
				t.Errorf("Trim says %d; the log begins with %d, want %d", trimmed, i.first(), c.want)
			}
			if again, _ := trim.Once(jstest.Context(t), i.client, i.broker, 1); c.worth == 0 && again != 0 {
				t.Errorf("a second Trim finds %d to remove", again)
			}
		})
	}
}

// Somebody deletes the shared consumer by hand and the records too, and the log is trimmed before the owner has written them again.
func TestWithoutConsumerAndRecordsALogIsNotTrimmed(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	i.publish(0, 50, "a")
	i.removeConsumer(all)
	i.deleteByHand(naming.TargetKey(all.Key))
	i.deleteByHand(naming.AddressKey(i.broker.Key))
	if floor, err := trim.Once(jstest.Context(t), i.client, i.broker, 1); floor != 0 || err == nil {
		t.Errorf("trimmed below %d, error %v; want that the consumer is missed", floor, err)
	}
	i.putBroker()
	again := i.put(i.trigger("all"))
	takeAll(t, open(t, i.client, again, 10), 0, 50)

	// Of a Broker without targets everything may go: who removes the last target forgets where the consumer stood.
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), again.Key))
	i.publish(50, 60, "a")
	i.sweep()
	if floor, err := trim.Once(jstest.Context(t), i.client, i.broker, 1); floor == 0 || err != nil {
		t.Errorf("trimmed below %d, error %v; want that all goes", floor, err)
	}
}

// Nobody may come back for what is kept: then it goes after a while, as members do of whom there is no record.
func TestWhatNobodyComesBackForIsTrimmed(t *testing.T) {
	t.Parallel()
	i := install(t, func(c *jetstream.Client) { c.Timing().StrayPatience = time.Second })
	all := i.put(i.trigger("all"))
	i.publish(0, 50, "a")
	i.removeConsumer(all)
	i.deleteByHand(naming.TargetKey(all.Key))
	i.sweep()
	if floor, err := trim.Once(jstest.Context(t), i.client, i.broker, 1); floor != 0 || err == nil {
		t.Errorf("trimmed below %d, error %v; want that the consumer is missed", floor, err)
	}
	jstest.Await(t, "it is given up", func() bool {
		i.sweep()
		floor, err := trim.Once(jstest.Context(t), i.client, i.broker, 1)
		return floor > 0 && err == nil
	})
	i.publish(50, 60, "a")
	if after := i.put(i.trigger("all")).After; after != 60 {
		t.Errorf("it begins after %d, want 60: after all that is there", after)
	}
}

func TestTheHistoryWindowSparesTheYoungOnly(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.publish(0, 50, "a", "b")
	stream, err := i.client.JetStream().Stream(jstest.Context(t), i.client.Names().Log(i.broker.Key))
	jstest.Must(t, err)
	last, err := stream.GetMsg(jstest.Context(t), 50)
	jstest.Must(t, err)
	jstest.Await(t, "the first half is older", func() bool { return time.Since(last.Time) > 300*time.Millisecond })
	i.publish(50, 100, "a", "b")
	young, err := stream.GetMsg(jstest.Context(t), 51)
	jstest.Must(t, err)

	i.broker.Log.History = time.Since(young.Time) + 100*time.Millisecond
	_, err = trim.Once(jstest.Context(t), i.client, i.broker, 1)
	jstest.Must(t, err)
	if have := i.first(); have != 51 {
		t.Errorf("the log begins with %d, want 51: the first of the last %s", have, i.broker.Log.History)
	}
}

// History gives way to what is to be delivered: a log that is nearly full loses the oldest delivered events, and no others.
func TestHistoryIsGivenUpBeforeTheLogIsFull(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		delivered int // of 100 events that fill the log
		want      func(first uint64, bytes, limit int64) bool
	}{
		{"everything is delivered", 100, func(first uint64, bytes, limit int64) bool { return first < 50 && bytes <= limit*3/4 }},
		{"what is to be delivered takes more than history leaves", 10, func(first uint64, _, _ int64) bool { return first == 11 }},
		{"nothing is delivered", 0, func(first uint64, _, _ int64) bool { return first == 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			all := i.put(i.trigger("all"))
			i.publish(0, c.delivered, "a")
			i.deliver(all, 0, c.delivered)
			i.publish(c.delivered, 100, "a")
			stream, err := i.client.JetStream().Stream(jstest.Context(t), i.client.Names().Log(i.broker.Key))
			jstest.Must(t, err)
			i.broker.Log.History, i.broker.Log.MaxBytes = time.Hour, int64(stream.CachedInfo().State.Bytes) //nolint:gosec // small
			_, err = trim.Once(jstest.Context(t), i.client, i.broker, 1<<20)
			jstest.Must(t, err)
			info, err := stream.Info(jstest.Context(t))
			jstest.Must(t, err)
			if !c.want(info.State.FirstSeq, int64(info.State.Bytes), i.broker.Log.MaxBytes) { //nolint:gosec // small
				t.Errorf("%d bytes of %d are left, from %d on", info.State.Bytes, i.broker.Log.MaxBytes, info.State.FirstSeq)
			}
		})
	}
}

// trimming runs a Trimmer until the test ends or stop is called.
func (i *installation) trimming(c *jetstream.Client) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	trimmer := trim.New(c, jstest.Table(i.broker))
	running.Go(func() { trimmer.Run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

func TestTheTrimmerFollowsItsClock(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	defer i.trimming(i.client)()
	i.publish(0, 100, "a")
	jstest.Await(t, "the log is empty", func() bool { return i.reading().State.Msgs == 0 })
}

func TestTheTrimmerHeedsANudge(t *testing.T) {
	t.Parallel()
	i := install(t) // its clock is half a minute: only a nudge can do it
	i.broker = brokerOf("small", 256<<10)
	i.putBroker()
	defer i.trimming(dial(t, i.server))()
	p := publisherOf(t, i.client)
	m := jstest.Message("big", "a")
	m.Event.Data = make([]byte, 16<<10)
	jstest.Await(t, "many logs full went through a small one", func() bool {
		m.ID = naming.MessageID(naming.Identity{Sequence: i.reading().State.LastSeq}, "")
		_, _ = p.Publish(jstest.Context(t), i.broker, []ingress.Message{m}) // a full log is emptied a moment later
		return i.reading().State.LastSeq > 64
	})
}

// A purge that NATS did not hear of is not repeated behind the back of who asked: by then the log may be another one.
func TestALogOutlivesAPurgeThatWasAskedForWhileNATSWasAway(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.publish(0, 10, "a")
	stream, err := i.client.Removals().Stream(jstest.Context(t), i.client.Names().Log(i.broker.Key))
	jstest.Must(t, err)
	i.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := trim.PurgeBelow(ctx, i.client, stream.CachedInfo().Config.Name, 11); err == nil {
		t.Error("the log is purged while NATS is away")
	}
	if err := stream.Purge(ctx, natsjs.WithPurgeSequence(11)); err == nil { // as if NATS had gone in between
		t.Error("the log is purged while NATS is away")
	}
	i.restart()
	for range 20 { // what was kept would come with the reconnect
		if first := i.first(); first != 1 {
			t.Fatalf("the log begins with %d", first)
		}
		loop.Sleep(t.Context(), 10*time.Millisecond)
	}
}
