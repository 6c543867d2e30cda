// Package receiver plays the subscribers of a benchmark and its dead letter sink: one HTTP server that tells every event by its
// number, and is as slow, and refuses as much, as is asked.
package receiver

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
)

// Paths of the server: target n's events come to SubscriberPath and n, its dead letters to SinkPath and n.
const (
	SubscriberPath = "/s/"
	SinkPath       = "/dead/"
)

// Behaviour is what the subscribers do.
type Behaviour struct {
	// Latency is how long they take for an answer.
	Latency time.Duration `json:"latency,omitempty"`
	// FailShare is the share of requests, from 0 to 1, that are answered with 500.
	FailShare float64 `json:"failShare,omitempty"`
	// Failing is the number of targets, the last ones of the workload's busy ones, that answer always with 503.
	Failing int `json:"failing,omitempty"`
}

// Validate names the first field that is wrong, by its flag.
func (b Behaviour) Validate() error {
	switch {
	case b.Latency < 0:
		return errors.New("--subscriber-latency must not be negative")
	case !(b.FailShare >= 0 && b.FailShare <= 1):
		return errors.New("--fail-share must be from 0 to 1")
	case b.Failing < 0:
		return errors.New("--failing must not be negative")
	}
	return nil
}

// Options are what a Receiver is made of.
type Options struct {
	Behaviour
	Targets []workload.Target
	Ledger  *ledger.Ledger
	// Run begins the ids of the run's events; others get 400.
	Run   string
	Began time.Time
	// Settled is called for each event that is settled at a target.
	Settled func()
}

// Receiver is the server. Safe for concurrent use.
type Receiver struct {
	Options
	// EndToEnd is the time from when an event was due to its arrival at a subscriber that does not always fail.
	EndToEnd *latency.Histogram
	busy     int
	from     atomic.Int64
	first    atomic.Int64
	last     atomic.Int64
	pause    atomic.Int64
	foreign  atomic.Int64
	listener net.Listener
	server   *fasthttp.Server
	ended    chan struct{}
}

// Start listens and serves until Close.
func Start(ctx context.Context, address string, o Options) (*Receiver, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	r := &Receiver{Options: o, EndToEnd: latency.New(), listener: listener, ended: make(chan struct{})}
	for _, t := range o.Targets {
		if t.Step > 0 {
			r.busy++
		}
	}
	r.server = &fasthttp.Server{
		Handler: r.serve, NoDefaultServerHeader: true, NoDefaultDate: true, ReadTimeout: time.Minute,
		MaxRequestBodySize: 2 * workload.MaxSize, CloseOnShutdown: true,
	}
	go func() {
		defer close(r.ended)
		_ = r.server.Serve(listener) // it ends with Close
	}()
	return r, nil
}

// Address is where it listens.
func (r *Receiver) Address() string { return r.listener.Addr().String() }

// Close ends the server.
func (r *Receiver) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.server.ShutdownWithContext(ctx)
	_ = r.listener.Close()
	<-r.ended
}

// MeasureFrom leaves out of the latencies what was due earlier after the run began, and forgets the longest pause.
func (r *Receiver) MeasureFrom(due time.Duration) {
	r.from.Store(int64(due))
	r.pause.Store(0)
}

// Foreign is the number of requests that were none of the run's events.
func (r *Receiver) Foreign() int { return int(r.foreign.Load()) }

// Arrivals tells when, after the run began, the first and the last event settled, and the longest time between two.
func (r *Receiver) Arrivals() (first, last, pause time.Duration) {
	return time.Duration(r.first.Load()), time.Duration(r.last.Load()), time.Duration(r.pause.Load())
}
