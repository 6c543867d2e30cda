package loop_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

func TestSleep(t *testing.T) {
	for _, test := range []struct {
		name           string
		sleep, ctxEnds time.Duration
		wantPassed     bool
		wantTook       time.Duration
	}{
		{"the time passes", time.Second, time.Minute, true, time.Second},
		{"ctx ends before", time.Minute, time.Second, false, time.Second},
		{"no time", 0, time.Minute, true, 0},
		{"a time that is over", -time.Second, time.Minute, true, 0},
		{"no time, ctx has ended", 0, 0, false, 0},
		{"ctx has ended", time.Minute, 0, false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.ctxEnds)
				defer cancel()
				began := time.Now()
				passed := loop.Sleep(ctx, test.sleep)
				if took := time.Since(began); passed != test.wantPassed || took != test.wantTook {
					t.Errorf("passed %v after %s, want %v after %s", passed, took, test.wantPassed, test.wantTook)
				}
			})
		})
	}
}

func TestFailureIsReportedOnce(t *testing.T) {
	away := errors.New("NATS is away")
	var isNew, changed loop.Failure
	for round, test := range []struct {
		err                 error
		wantNew, wantIsOver bool
	}{
		{nil, false, false},
		{away, true, false},
		{away, false, false},
		{fmt.Errorf("NATS is %s", "away"), false, false}, // another value, the same text
		{errors.New("NATS is full"), true, false},
		{away, true, false},
		{nil, false, true},
		{nil, false, false},
		{away, true, false},
	} {
		if got := isNew.IsNew(test.err); got != test.wantNew {
			t.Errorf("round %d: %v is new: %v", round, test.err, got)
		}
		if gotNew, isOver := changed.Changed(test.err); gotNew != test.wantNew || isOver != test.wantIsOver {
			t.Errorf("round %d: %v is new: %v, the failure is over: %v", round, test.err, gotNew, isOver)
		}
	}
}

func TestNotifyLeavesOneToken(t *testing.T) {
	c := make(chan struct{}, 1)
	for range 2 {
		loop.Notify(c)
	}
	if <-c; len(c) != 0 {
		t.Error("a second token is left")
	}
}
