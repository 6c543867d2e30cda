package eventtype

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// store keeps the records in order, and fails while fail is set.
type store struct {
	mu   sync.Mutex
	fail error
	puts []Record
}

func (s *store) PutEventType(_ context.Context, r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.puts = append(s.puts, r)
	return nil
}

func (s *store) setFail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *store) got() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Record(nil), s.puts...)
}

// run runs a recorder in a synctest bubble until the test function returns.
func run(t *testing.T, f func(t *testing.T, r *Recorder, s *store, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, log := &store{}, &bytes.Buffer{}
		r := NewRecorder(s, slog.New(slog.NewTextHandler(log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { r.Run(ctx) })
		f(t, r, s, log)
		cancel()
		running.Wait()
	})
}

// pass advances the recorder's clock.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the time of a synctest bubble: nobody waits
	synctest.Wait()
}

func numbered(a route.Address, n int) Record {
	return Of(a, eventOf(fmt.Sprintf("type-%d", n), "/shop"))
}

func TestEachTypeIsWrittenOnce(t *testing.T) {
	run(t, func(t *testing.T, r *Recorder, s *store, _ *bytes.Buffer) {
		made := Of(orders(), eventOf("made", "/shop"))
		for range 100 {
			r.Record(made)
			r.Record(made.RepliedBy(trigger("billing")))
			r.Record(Of(orders(), eventOf("made", "/other")))
		}
		pass(time.Second)
		if got := s.got(); len(got) != 3 {
			t.Errorf("written: %+v", got)
		}
	})
}

func TestTypesInUseAreWrittenAgainBeforeTheyExpire(t *testing.T) {
	run(t, func(t *testing.T, r *Recorder, s *store, _ *bytes.Buffer) {
		made := Of(orders(), eventOf("made", "/shop"))
		begin := time.Now()
		for time.Since(begin) < 3*RecordTTL {
			r.Record(made)
			pass(time.Minute)
		}
		if n := len(s.got()); n < 6 || n > 12 {
			t.Errorf("written %d times in %s", n, 3*RecordTTL)
		}
	})
}

// A record is tried again during an outage: there may be no second event of its type.
func TestWritesAreRetriedInAnOutage(t *testing.T) {
	run(t, func(t *testing.T, r *Recorder, s *store, log *bytes.Buffer) {
		s.setFail(errors.New("away"))
		r.Record(Of(orders(), eventOf("made", "/shop")))
		r.Record(Of(orders(), eventOf("paid", "/shop")))
		pass(5 * retryEvery)
		s.setFail(nil)
		pass(2 * retryEvery)
		if got := s.got(); len(got) != 2 {
			t.Errorf("written: %+v", got)
		}
		pass(warnEvery)
		if log.Len() > 0 {
			t.Errorf("it complains: %s", log)
		}
	})
}

func TestFailedWritesAreLeftToTheNextEvent(t *testing.T) {
	run(t, func(t *testing.T, r *Recorder, s *store, log *bytes.Buffer) {
		s.setFail(errors.New("the bucket is full"))
		made := Of(orders(), eventOf("made", "/shop"))
		r.Record(made)
		pass(10 * warnEvery)
		s.setFail(nil)
		pass(10 * warnEvery)
		if len(s.got()) != 0 {
			t.Fatal("it is tried for ever")
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "the bucket is full") {
			t.Errorf("it says %s", log)
		}
		r.Record(made)
		pass(time.Second)
		if len(s.got()) != 1 {
			t.Error("it is not written")
		}
	})
}

func TestFailedWritesDoNotCountForTheAddress(t *testing.T) {
	s := seen{}
	id := Of(orders(), eventOf("made", "/shop")).ID
	for range 2 * MaxPerAddress {
		if s.has(id, time.Now()) || !s.hasRoom(id.Address) {
			t.Fatal("it is not tried again")
		}
		s.add(id)
		s.forget(id)
	}
}

// Without Run the recorder takes what the queue has room for, and never blocks.
func TestAFullQueueTakesNoMoreAndForgets(t *testing.T) {
	s := &store{}
	r := NewRecorder(s, nil)
	for n := range 2 * queueLength {
		r.Record(numbered(orders(), n))
	}
	if len(r.queue) != queueLength || r.dropped != queueLength {
		t.Fatalf("%d wait, %d dropped", len(r.queue), r.dropped)
	}
	last := numbered(orders(), 2*queueLength-1)
	<-r.queue
	r.Record(last)
	if len(r.queue) != queueLength {
		t.Error("what was dropped counts as seen")
	}
}

func TestMadeUpTypesAreBoundedPerAddress(t *testing.T) {
	run(t, func(t *testing.T, r *Recorder, s *store, log *bytes.Buffer) {
		other := orders()
		other.Key.Name = "other"
		for n := range 3 * MaxPerAddress {
			r.Record(numbered(orders(), n))
			pass(writeEvery)
		}
		r.Record(numbered(other, 0))
		pass(warnEvery)
		if got := s.got(); len(got) != MaxPerAddress+1 || got[len(got)-1].Address.Name != "other" {
			t.Errorf("%d records are written", len(got))
		}
		if !strings.Contains(log.String(), "too many types and sources at broker shop/orders") {
			t.Errorf("it does not say so: %s", log)
		}
	})
}

func TestWritesAreSpreadOut(t *testing.T) {
	run(t, func(t *testing.T, r *Recorder, s *store, _ *bytes.Buffer) {
		for n := range queueLength {
			r.Record(numbered(orders(), n))
		}
		pass(time.Second)
		if n, most := len(s.got()), int(time.Second/writeEvery)+1; n == 0 || n > most {
			t.Errorf("%d writes in a second, want at most %d", n, most)
		}
	})
}

func TestLongTextIsNotRecorded(t *testing.T) {
	run(t, func(t *testing.T, r *Recorder, s *store, _ *bytes.Buffer) {
		fits := eventOf("t", strings.Repeat("s", MaxTextBytes-len("t1.0")))
		r.Record(Of(orders(), fits))
		r.Record(Of(orders(), fits.With("dataschema", "x")))
		r.Record(Of(orders(), eventOf("t", strings.Repeat("s", MaxTextBytes))))
		pass(time.Second)
		if n := len(s.got()); n != 1 {
			t.Errorf("%d are written", n)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	s := seen{}
	now := time.Now()
	for n := range 5 * maxSeen {
		a := orders()
		a.Key.Name = fmt.Sprintf("b%d", n/100)
		id := numbered(a, n).ID
		if s.has(id, now) || !s.hasRoom(a.Key) {
			t.Fatal("a new one counts as seen")
		}
		s.add(id)
		if !s.has(id, now) {
			t.Fatal("what was added is not there")
		}
		if len(s.young) > maxSeen || len(s.old) > maxSeen || len(s.perAddress) > maxSeen {
			t.Fatalf("%d, %d and %d are kept", len(s.young), len(s.old), len(s.perAddress))
		}
	}
}

// BenchmarkRecord measures an event whose type is recorded already.
func BenchmarkRecord(b *testing.B) {
	r := NewRecorder(&store{}, nil)
	a, e := orders(), eventOf("made", "/shop")
	b.ReportAllocs()
	for b.Loop() {
		r.Record(Of(a, e))
	}
}
