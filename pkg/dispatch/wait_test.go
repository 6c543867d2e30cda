package dispatch

import (
	"errors"
	"testing"
	"time"
)

func TestWaitingIsTakenInOrderOfTime(t *testing.T) {
	w, now := newWaiting(), time.Now()
	for _, n := range []uint64{5, 1, 4, 2, 3} {
		due := now.Add(time.Duration(n) * time.Second)
		if err := w.add(task{Message: Message{Work: Work{Sequence: n}}, due: due}); err != nil {
			t.Fatal(err)
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
	if _, ok, wait := w.take(now); ok || wait != idle {
		t.Errorf("take of nothing: %t, wait %s; want to idle", ok, wait)
	}
}

func TestWaitingRefuses(t *testing.T) {
	w := newWaiting()
	for range maxWaiting {
		if err := w.add(task{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.add(task{}); !errors.Is(err, errWaitingFull) {
		t.Errorf("one too many: %v, want %v", err, errWaitingFull)
	}
	w.putBack(task{})
	if n := len(w.close()); n != maxWaiting+1 {
		t.Errorf("close returned %d tasks, want those of the limit and the one put back", n)
	}
	if err := w.add(task{}); !errors.Is(err, errWaitingClosed) {
		t.Errorf("after close: %v, want %v", err, errWaitingClosed)
	}
}
