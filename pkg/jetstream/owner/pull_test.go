package owner

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
)

func TestPullDeliversEveryEventOnceAndInOrder(t *testing.T) {
	t.Parallel()
	for _, capacity := range []int{1, 2, 7, 100, 1000} {
		t.Run("capacity "+strconv.Itoa(capacity), func(t *testing.T) {
			t.Parallel()
			i := install(t)
			all := i.put(i.alone("all"))
			i.publish(0, 300, "a.created", "b.created", "c")

			source := open(t, i.client, all, capacity)
			ids := takeAll(t, source, 0, 300)
			source.Stop()

			if want := jstest.IDs(0, 300); !slices.Equal(ids, want) {
				t.Errorf("got %d events %v, want each of 300 once and in order", len(ids), ids)
			}
			i.consumerIsDone(all)
		})
	}
}

func TestPullFollowsEventsThatComeWhileItWaits(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.alone("all"))
	source := open(t, i.client, all, 5)
	defer source.Stop()
	for n := range 50 { // each one finds the source with an open request or in need of a new one
		i.publish(n, n+1, "a")
		takeAll(t, source, n, n+1)
	}
	i.consumerIsDone(all)
}

func TestTwoSourcesShareOneConsumer(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.alone("all"))
	first, second := open(t, i.client, all, 10), open(t, dial(t, i.server), all, 10)
	i.publish(0, 400, "a")

	var mu sync.Mutex
	count := map[string]int{}
	by := map[reading]int{}
	seen := make(chan struct{}, 1000)
	var takers sync.WaitGroup
	for _, source := range []reading{first, second} {
		takers.Go(func() {
			for m := range source.all() {
				mu.Lock()
				count[m.Event.Attr(event.ID)]++
				by[source]++
				mu.Unlock()
				if err := m.Ack(); err != nil {
					t.Error(err)
				}
				seen <- struct{}{}
			}
		})
	}
	for range 400 {
		select {
		case <-seen:
		case <-t.Context().Done():
			t.Fatal("the test was ended")
		}
	}
	first.Stop()
	second.Stop()
	takers.Wait()

	for id, times := range count {
		if times != 1 {
			t.Errorf("event %s came %d times", id, times)
		}
	}
	if len(count) != 400 || by[first] == 0 || by[second] == 0 {
		t.Errorf("%d events came, %d to the first and %d to the second, want 400, some to each", len(count), by[first], by[second])
	}
	i.consumerIsDone(all)
}

func TestASourceHoldsNoMoreThanItsCapacity(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.alone("all"))
	i.publish(0, 100, "a")
	source := open(t, i.client, all, 8)
	defer source.Stop()

	jstest.Await(t, "8 events are on their way", func() bool { return i.consumer(all) == "pending 92, unacknowledged 8, redelivered 0" })
	for range 20 {
		jstest.Must(t, next(t, source).Ack())
	}
	jstest.Await(t, "about as many again: it asks when half of it is worth it", func() bool {
		info := i.consumerInfo(all)
		return info.NumAckPending >= 4 && info.NumAckPending <= 8 && int(info.NumPending) == 80-info.NumAckPending //nolint:gosec // few
	})
}

func TestStopGivesBackWhatNobodyTook(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.alone("all"))
	i.publish(0, 100, "a")
	source := open(t, i.client, all, 50)
	taken := next(t, source)
	jstest.Await(t, "the rest of the request waits to be taken", func() bool {
		held := i.consumerInfo(all).NumAckPending
		return held >= 50 && held <= 75 // a request may have been sent when half of the first was taken
	})

	begin := time.Now()
	source.Stop()
	if took := time.Since(begin); took > jetstream.AckWait/3 {
		t.Errorf("Stop took %s", took)
	}
	if _, ok := source.Take(); ok {
		t.Error("the source yields a message after Stop")
	}

	again := open(t, dial(t, i.server), all, 50)
	defer again.Stop()
	ids := takeAll(t, again, 1, 100)
	if took := time.Since(begin); took > jetstream.AckWait/2 {
		t.Errorf("what was given back came after %s: not at once, but when its lease ran out", took)
	}
	if len(ids) != 99 || slices.Contains(ids, "0") {
		t.Errorf("got %d events, want the 99 that nobody took, once each: %v", len(ids), ids)
	}
	jstest.Must(t, taken.Ack()) // a lease outlives its source
	i.consumerIsDone(all)
}

func TestReleaseBringsAMessageBack(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.alone("all"))
	i.publish(0, 1, "a")
	source := open(t, i.client, all, 1)
	defer source.Stop()

	jstest.Must(t, next(t, source).Release(0))
	m := next(t, source)
	begin := time.Now()
	jstest.Must(t, m.Release(300*time.Millisecond))
	m = next(t, source)
	if after := time.Since(begin); after < 250*time.Millisecond {
		t.Errorf("it came back after %s, want 300 ms", after)
	}
	if m.Sequence != 1 {
		t.Errorf("its sequence is %d, want 1", m.Sequence)
	}
	jstest.Must(t, m.Ack())
	i.consumerIsDone(all)
}

func TestALeaseIsRenewedForAsLongAsItIsOut(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	all := i.put(i.alone("all"))
	i.publish(0, 2, "a")
	source := open(t, i.client, all, 1)
	taken := next(t, source)
	jstest.Await(t, "the source holds both", func() bool { return i.consumer(all) == "pending 0, unacknowledged 2, redelivered 0" })
	other := open(t, dial(t, i.server, brisk), all, 10)
	defer other.Stop()

	nothing := func(when string) {
		t.Helper()
		if m, ok := poll(other, 5*i.client.Timing().AckWait/2); ok {
			t.Fatalf("event %s came again although its lease was out, %s", m.Event.Attr(event.ID), when)
		}
	}
	nothing("while its source was open") // this holds for event 1 as well, which nobody has taken
	source.Stop()
	takeAll(t, other, 1, 2)
	nothing("after its source was stopped")
	jstest.Must(t, taken.Ack())
	i.consumerIsDone(all)
}

func TestAMessageOfAKilledProcessComesAgain(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	all := i.put(i.alone("all"))
	i.publish(0, 20, "a")
	victim := dial(t, i.server, brisk)
	source := open(t, victim, all, 20)
	jstest.Must(t, next(t, source).Ack())
	next(t, source)
	jstest.Await(t, "the acknowledgement has arrived", func() bool { return i.consumer(all) == "pending 0, unacknowledged 19, redelivered 0" })

	begin := time.Now()
	kill(victim)
	other := open(t, i.client, all, 20)
	defer other.Stop()
	ids := takeAll(t, other, 1, 20)
	if after := time.Since(begin); after < victim.Timing().AckWait/2 {
		t.Errorf("the events came again after %s, sooner than a lease lasts", after)
	}
	if slices.Contains(ids, "0") {
		t.Error("an acknowledged event came again")
	}
	i.consumerIsDone(all)
}
