package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
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

// In a cluster a Service knows its pods a moment after they are ready.
func TestACounterThatIsAboutToStartIsAwaited(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // the address is free, and nobody answers there
	var starting sync.WaitGroup
	starting.Go(func() {
		server := &http.Server{Addr: address, Handler: display.NewCounter()}
		t.Cleanup(func() { server.Close() })
		began := make(chan struct{})
		time.AfterFunc(2*arrivalPoll, func() { close(began) })
		<-began
		go func() { _ = server.ListenAndServe() }()
	})
	if _, err := watchArrivals(t.Context(), "http://"+address+display.CountPrefix+"x"); err != nil {
		t.Error(err)
	}
	starting.Wait()
}
