package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/display"
)

// Who interrupts a long wait wants to know what has arrived until then.
func TestAnInterruptedWaitSaysWhatHasArrived(t *testing.T) {
	url := startReceiver(t, display.NewCounter().ServeHTTP) + display.CountPrefix + "x"
	if _, err := executeSend(url, "--count", "3"); err != nil {
		t.Fatal(err)
	}
	a := &arrivals{url: url}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out bytes.Buffer
	if err := a.await(ctx, 5, &out); err == nil {
		t.Error("no error although two events are missing")
	}
	if want := "arrived 3 of 5, 0 repeated, outstanding 2\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}
