// Package receiver plays the subscribers of a benchmark and its dead letter sink: one HTTP server that tells every event by its
// number, and is as slow, and refuses as much, as is asked.
package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/latency"
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

func (r *Receiver) serve(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	number, isSubscriber := strings.CutPrefix(path, SubscriberPath)
	number, isSink := strings.CutPrefix(number, SinkPath)
	target, err := strconv.Atoi(number)
	i, due, ok := workload.ParseID(eventID(ctx), r.Run)
	if !ok || err != nil || isSubscriber == isSink || target < 0 || target >= len(r.Targets) {
		r.foreign.Add(1)
		ctx.SetStatusCode(http.StatusBadRequest)
		return
	}
	if isSink {
		r.settle(r.Ledger.DeadLetter(target, i))
		ctx.SetStatusCode(http.StatusAccepted)
		return
	}
	r.subscriber(ctx, arrival{target: target, event: i, due: due})
}

type arrival struct {
	target, event int
	due           time.Duration
}

func (r *Receiver) subscriber(ctx *fasthttp.RequestCtx, a arrival) {
	failing := a.target >= r.busy-r.Failing && a.target < r.busy
	if now := time.Since(r.Began); !failing && int64(a.due) >= r.from.Load() {
		r.EndToEnd.Record(now - a.due)
	}
	if r.Latency > 0 {
		<-time.After(r.Latency)
	}
	switch {
	case failing:
		r.Ledger.Refuse(a.target, a.event)
		ctx.SetStatusCode(http.StatusServiceUnavailable)
		return
	case r.FailShare > 0 && rand.Float64() < r.FailShare: //nolint:gosec // no secret
		r.Ledger.Refuse(a.target, a.event)
		ctx.SetStatusCode(http.StatusInternalServerError)
		return
	}
	r.settle(r.Ledger.Deliver(a.target, a.event))
	if r.Targets[a.target].Replies {
		r.reply(ctx)
		return
	}
	ctx.SetStatusCode(http.StatusAccepted)
}

// reply answers with an event of the same number and size.
func (r *Receiver) reply(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	h.Set("Ce-Specversion", "1.0")
	h.SetBytesV("Ce-Id", ctx.Request.Header.Peek("Ce-Id"))
	h.Set("Ce-Source", workload.ReplySource)
	h.Set("Ce-Type", workload.ReplyType)
	h.SetContentType("application/json")
	ctx.SetBody(ctx.Request.Body())
}

// settle notes when something new arrived.
func (r *Receiver) settle(fresh bool) {
	if !fresh {
		return
	}
	now := int64(time.Since(r.Began))
	if before := r.last.Swap(now); before != 0 {
		for gap := now - before; ; {
			longest := r.pause.Load()
			if gap <= longest || r.pause.CompareAndSwap(longest, gap) {
				break
			}
		}
	}
	r.first.CompareAndSwap(0, now)
	r.Settled()
}

// eventID reads the id of a binary event, or of one in the JSON format: other Brokers may deliver so.
func eventID(ctx *fasthttp.RequestCtx) string {
	if id := ctx.Request.Header.Peek("Ce-Id"); len(id) > 0 {
		return string(id)
	}
	var envelope struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(ctx.Request.Body(), &envelope) != nil {
		return ""
	}
	return envelope.ID
}
