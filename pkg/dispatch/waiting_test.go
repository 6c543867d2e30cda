package dispatch

import (
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
)

func TestWaitingIsTakenInOrderOfTime(t *testing.T) {
	w, now := newWaiting(limit.New(sharedPlaces)), time.Now()
	for _, n := range []uint64{5, 1, 4, 2, 3} {
		due := now.Add(time.Duration(n) * time.Second)
		if !w.add(task{Message: Message{Work: Work{Sequence: n}}, due: due}) {
			t.Fatal("there is no place")
		}
	}
	if _, ok, wait := w.take(now); ok || wait != time.Second {
		t.Errorf("take: %t, wait %s; want none for a second", ok, wait)
	}
	for want := uint64(1); want <= 5; want++ {
		if got, ok, _ := w.take(now.Add(time.Minute)); !ok || got.Sequence != want {
			t.Errorf("took %d (%t), want %d", got.Sequence, ok, want)
		}
	}
	if _, ok, wait := w.take(now); ok || wait != idlePoll {
		t.Errorf("take of nothing: %t, wait %s; want idlePoll", ok, wait)
	}
}

func TestWaitingRefuses(t *testing.T) {
	after := func(delay time.Duration, t task) task { t.due = time.Now().Add(delay); return t }
	large := Message{Work: Work{Event: event.Event{Data: make([]byte, smallData+1)}}}
	for _, test := range []struct {
		name string
		task task
		free int // shared places that other targets leave
		want int
	}{
		{"small, short delay", after(time.Second, task{}), sharedPlaces, maxSmallWaiting},
		{"small, short delay, 10 shared places left", after(time.Second, task{}), 10, maxWaiting + 10},
		{"small, long delay", after(time.Minute, task{}), sharedPlaces, maxWaiting},
		{"small, overdue by more than maxLag", after(-time.Second, task{}), sharedPlaces, maxWaiting},
		{"large, short delay", after(time.Second, task{Message: large}), sharedPlaces, maxWaiting},
		{"with a reply, short delay", after(time.Second, task{Message: Message{Work: Work{Reply: &event.Event{}}}}), sharedPlaces, maxWaiting},
	} {
		t.Run(test.name, func(t *testing.T) {
			places := limit.New(test.free)
			w := newWaiting(places)
			for range test.want {
				if !w.add(test.task) {
					t.Fatal("there is no place")
				}
			}
			if w.add(test.task) {
				t.Error("there is a place for one too many")
			}
			if !w.addDue(test.task) {
				t.Fatal("there is no place for one that is due")
			}
			if n := len(w.close()); n != test.want+1 {
				t.Errorf("close returned %d tasks, want those of the limit and the one beyond it", n)
			}
			if n := places.InUse(); n != 0 {
				t.Errorf("%d shared places are not given back", n)
			}
			if w.add(test.task) || w.addDue(test.task) {
				t.Error("there is a place after close")
			}
		})
	}
}

func TestSharedPlaceIsFreedWithItsTask(t *testing.T) {
	places := limit.New(sharedPlaces)
	w, now := newWaiting(places), time.Now()
	for range maxWaiting + 5 {
		if !w.add(task{due: now}) {
			t.Fatal("there is no place")
		}
	}
	if n := places.InUse(); n != 5 {
		t.Errorf("%d places are in use, want 5", n)
	}
	for range maxWaiting + 5 {
		if _, ok, _ := w.take(now); !ok {
			t.Fatal("a task is not due")
		}
	}
	if n := places.InUse(); n != 0 {
		t.Errorf("%d places are in use after all were taken, want 0", n)
	}
}
