package owner

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
)

// flood is many events through a log that holds only a few of them, with a Trimmer and one Trigger that keeps up.
type flood struct {
	events   int
	bodySize int
	maxBytes int64
}

// flooded is what came of it.
type flooded struct {
	published, delivered time.Duration
	// refused counts the batches for which the log was full, repeated the events that came more than once.
	refused, repeated int
	maxSeen           uint64
}

// senders is how many publish at the same time, batch how many events one request has.
const (
	senders = 8
	batch   = 50
)

func (f flood) run(t testing.TB) flooded {
	t.Helper()
	i := install(t)
	i.broker = brokerOf("flooded", f.maxBytes)
	i.putBroker()
	all := i.put(i.trigger("all"))
	filterProcess := dial(t, i.server)
	defer i.trimming(filterProcess)()
	defer i.trimming(dial(t, i.server))() // there may be any number of them

	var result flooded
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { result.maxSeen = i.watchBytes(ctx) })

	begin := time.Now()
	source := open(t, filterProcess, all, 1000)
	var arrived, publishing sync.WaitGroup
	arrived.Go(func() {
		result.repeated = f.receive(t, source)
		result.delivered = time.Since(begin)
	})
	var refused atomic.Int64
	for n := range senders {
		publishing.Go(func() { refused.Add(f.send(t, i, n)) })
	}
	publishing.Wait()
	result.published, result.refused = time.Since(begin), int(refused.Load())
	arrived.Wait()
	source.Stop()
	stop()
	watching.Wait()
	return result
}

// send publishes every senders-th batch, and again what a full log refused, as a producer does that obeys Retry-After.
func (f flood) send(t testing.TB, i *installation, sender int) (refused int64) {
	p := publisherOf(t, i.client)
	for first := sender * batch; first < f.events; first += senders * batch {
		messages := make([]ingress.Message, 0, batch)
		for id := first; id < min(first+batch, f.events); id++ {
			m := jstest.Message(strconv.Itoa(id), "a")
			m.Event.Data = make([]byte, f.bodySize)
			messages = append(messages, m)
		}
		for {
			_, err := p.Publish(context.WithoutCancel(t.Context()), i.broker, messages)
			if err == nil {
				break
			}
			if !errors.Is(err, ingress.ErrLogFull) {
				t.Errorf("publish: %v", err)
				return refused
			}
			refused++
			loop.Sleep(t.Context(), 50*time.Millisecond)
		}
	}
	return refused
}

// receive acknowledges until every event came, and returns how many came again.
func (f flood) receive(t testing.TB, source dispatch.Source) (repeated int) {
	seen := make([]bool, f.events)
	for left := f.events; left > 0; {
		m, ok := poll(source, jstest.Patience)
		if !ok {
			t.Errorf("%d events did not come", left)
			return repeated
		}
		id, err := strconv.Atoi(m.Event.Attr(event.ID))
		if err != nil || len(m.Event.Data) != f.bodySize {
			t.Errorf("event %q has a body of %d bytes: %v", m.Event.Attr(event.ID), len(m.Event.Data), err)
		}
		if err := m.Ack(); err != nil {
			t.Error(err)
		}
		if seen[id] {
			repeated++
			continue
		}
		seen[id] = true
		left--
	}
	return repeated
}

// watchBytes returns the most bytes that the log ever had, as often as one can look.
func (i *installation) watchBytes(ctx context.Context) (most uint64) {
	for ctx.Err() == nil {
		if stream, err := i.client.JetStream().Stream(ctx, i.client.Names().Log(i.broker.Key)); err == nil {
			most = max(most, stream.CachedInfo().State.Bytes)
		}
		loop.Sleep(ctx, 5*time.Millisecond)
	}
	return most
}

func (f flooded) check(t testing.TB, limit int64) {
	t.Helper()
	if f.maxSeen > uint64(limit) {
		t.Errorf("the log had %d bytes, more than its limit of %d", f.maxSeen, limit)
	}
	if f.repeated > 0 {
		t.Errorf("%d events came more than once", f.repeated)
	}
}

// Five times what the log can hold goes through it, and all of it arrives.
func TestManyEventsThroughASmallLog(t *testing.T) {
	f := flood{events: 40_000, bodySize: 1024, maxBytes: 8 << 20}
	result := f.run(t)
	result.check(t, f.maxBytes)
	t.Logf("%d events in %s, delivered in %s, at most %d KiB in the log, refused %d times",
		f.events, result.published, result.delivered, result.maxSeen>>10, result.refused)
}
