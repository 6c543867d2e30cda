// Package ingress receives CloudEvents over HTTP and hands them to a Publisher. POST
// /{namespace}/{name} addresses a Broker, POST /channels/{namespace}/{name} or POST / with its host
// name a Channel. The answer is 202 only when every event of the request is stored (I1).
//
// The contract is that of the Knative Eventing data plane (knative/specs
// specs/eventing/data-plane.md), checked in upstream's order (knative.dev/eventing
// pkg/broker/ingress/ingress_handler.go, pkg/channel/event_receiver.go). Unlike upstream, this
// package bounds the size of a body, the bytes that requests hold, and every wait.
package ingress

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// DefaultMaxEventBytes is NATS's default max_payload.
	DefaultMaxEventBytes int64 = 1 << 20

	allowedMethods = http.MethodPost + ", " + http.MethodOptions
)

// Config configures a Handler. Addresses and Publisher are required; other fields have defaults.
type Config struct {
	Addresses Addresses
	Publisher Publisher
	// MaxEventBytes returns the size limit of a request's body in bytes. It is called once per
	// request, so that it can follow the NATS server. Default: DefaultMaxEventBytes.
	MaxEventBytes func() int64
	// Memory bounds the bytes that all requests hold together, from the headers to the answer. A
	// request that gets no memory within MemoryWait is answered with 429. Default: DefaultMemory.
	Memory int64
	// MemoryWait bounds each wait for memory. Default: DefaultBudget.Memory().
	MemoryWait time.Duration
	// MaxInFlight bounds the requests whose body is being read or stored; a request beyond it is
	// answered with 429. Default: no bound.
	MaxInFlight int
	// PublishTimeout bounds one Publish with its retries. Default: DefaultBudget.Publish().
	PublishTimeout time.Duration
	// Stored, if not nil, is called for each event of an address with RecordEventTypes, once all
	// events of the request are stored. It must not block.
	Stored func(to route.Address, e event.Event)
	// Now is the clock of arrival times. Default: time.Now.
	Now func() time.Time
	// NewID returns a message id that is unique among all processes. Default: crypto/rand.Text.
	NewID func() string
	// Logger gets a line for each refused request at level debug, and at most one line per second
	// for failures to store at level warn. Default: none.
	Logger *slog.Logger
	// Meter makes the histogram telemetry.DispatchDuration. Default: OpenTelemetry's global one.
	Meter metric.MeterProvider
}

// Handler serves every Broker and Channel of the installation. Safe for concurrent use.
type Handler struct {
	config    Config
	memory    *memory
	inFlight  *limit.Limiter // nil where there is no bound
	log       *requestLog
	durations *durations
}

// New returns a Handler. It starts nothing.
func New(config Config) *Handler {
	if config.MaxEventBytes == nil {
		config.MaxEventBytes = func() int64 { return DefaultMaxEventBytes }
	}
	if config.Memory <= 0 {
		config.Memory = DefaultMemory
	}
	if config.MemoryWait <= 0 {
		config.MemoryWait = DefaultBudget.Memory()
	}
	if config.PublishTimeout <= 0 {
		config.PublishTimeout = DefaultBudget.Publish()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.NewID == nil {
		config.NewID = rand.Text
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		config:    config,
		memory:    newMemory(config.Memory, config.MemoryWait),
		log:       &requestLog{logger: config.Logger},
		durations: newDurations(config.Meter, config.Logger),
	}
	if config.MaxInFlight > 0 {
		h.inFlight = limit.New(config.MaxInFlight)
	}
	return h
}

// ServeHTTP answers 202 without a body when the request's events are stored, else as answerTo says.
// OPTIONS is the CloudEvents webhook handshake, answered alike for every path, as upstream does.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		if err := h.accept(w, r); err != nil {
			h.refuse(w, r, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	case http.MethodOptions:
		w.Header().Set("Allow", allowedMethods)
		w.Header().Set("WebHook-Allowed-Origin", "*")
		w.Header().Set("WebHook-Allowed-Rate", "*")
		w.WriteHeader(http.StatusOK)
	default:
		w.Header().Set("Allow", allowedMethods)
		http.Error(w, "only POST and OPTIONS are served", http.StatusMethodNotAllowed)
	}
}

// accept handles a POST, and counts its outcome.
func (h *Handler) accept(w http.ResponseWriter, r *http.Request) error {
	to, err := h.find(r)
	if err == nil {
		err = h.acceptFor(w, r, to)
	}
	if err != nil && to.Counts != nil {
		to.Counts.Refuse(unstored(err), answerTo(err).status, publicText(err))
	}
	return err
}

// acceptFor reserves memory, reads the body, decodes it and stores the events. It returns nil when
// they are stored. A request without an address or without memory costs nothing but its headers.
func (h *Handler) acceptFor(w http.ResponseWriter, r *http.Request, to route.Address) error {
	if h.inFlight != nil {
		if !h.inFlight.TryAcquire() {
			return ErrBusy
		}
		defer h.inFlight.Release()
	}
	most := h.config.MaxEventBytes()
	if r.ContentLength > most {
		return &http.MaxBytesError{Limit: most}
	}
	held := holding{memory: h.memory}
	defer held.release()
	if err := held.take(r.Context(), bytesOf(r)); err != nil {
		return err
	}
	body, err := readBody(w, r, most, &held)
	if err != nil {
		return err
	}
	messages, err := h.messages(r.Header, body, to)
	if err != nil || len(messages) == 0 {
		return err
	}
	if err := held.take(r.Context(), eventBytes*int64(len(messages)-1)); err != nil {
		return err
	}
	return h.store(r, to, messages)
}

// store publishes within the publish timeout and measures it. When the client goes away the publish
// ends; the event may then be stored or not, as for any client that gets no answer.
func (h *Handler) store(r *http.Request, to route.Address, messages []Message) error {
	ctx, cancel := context.WithTimeout(r.Context(), h.config.PublishTimeout)
	defer cancel()

	start := time.Now()
	stored, err := h.config.Publisher.Publish(ctx, to, messages)
	to.Counts.Accept(stored)
	status := http.StatusAccepted
	if err != nil {
		err = &storeError{stored: stored, total: len(messages), cause: err}
		status = answerTo(err).status
	}
	h.durations.record(r, measurement{to: to.Key, messages: messages, status: status, took: time.Since(start)})
	if err == nil && to.RecordEventTypes && h.config.Stored != nil {
		for _, m := range messages {
			h.config.Stored(to, m.Event)
		}
	}
	return err
}
