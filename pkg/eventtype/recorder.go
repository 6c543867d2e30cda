package eventtype

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

const (
	// queueLength bounds the records that wait to be written.
	queueLength = 256
	// The pauses after a write, and after a failed one: made-up types must not keep NATS busy.
	writeEvery = 20 * time.Millisecond
	retryEvery = time.Second
	// writeTries bounds the attempts to write one record, as other records wait.
	writeTries = 10
	// writeTimeout bounds one write.
	writeTimeout = 5 * time.Second
	// warnEvery is the least time between two warnings about types that are not recorded.
	warnEvery = time.Minute
)

// Store stores records. Storing a record again restarts its RecordTTL.
type Store interface {
	PutEventType(ctx context.Context, r Record) error
}

// Recorder writes records to a Store in the background. Safe for concurrent use.
type Recorder struct {
	store Store
	log   *slog.Logger
	queue chan Record

	mu   sync.Mutex
	seen seen
	// dropped counts the events without a record since the last warning; why is the last reason.
	dropped int
	why     string
}

// NewRecorder returns a recorder that writes while Run runs. A nil logger logs nothing.
func NewRecorder(store Store, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Recorder{store: store, log: log, queue: make(chan Record, queueLength)}
}

// Record queues the record unless it was written lately. It never blocks: without room in the queue
// the record waits for the next event of its type.
func (r *Recorder) Record(record Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if record.textBytes() > MaxTextBytes {
		r.drop("type, source and schema are too long")
		return
	}
	if r.seen.has(record.ID, time.Now()) {
		return
	}
	if !r.seen.hasRoom(record.Address) {
		r.drop("too many types and sources at " + record.Address.String())
		return
	}
	// The record outlives the request, whose memory the strings would keep.
	record.Type, record.Source = strings.Clone(record.Type), strings.Clone(record.Source)
	record.Schema, record.SpecVersion = strings.Clone(record.Schema), strings.Clone(record.SpecVersion)
	select {
	case r.queue <- record:
		r.seen.add(record.ID)
	default:
		r.drop("too many new types at one time")
	}
}

// drop counts an event without a record. The caller holds mu.
func (r *Recorder) drop(why string) {
	r.dropped++
	r.why = why
}

// Run writes until ctx ends; queued records are lost then.
func (r *Recorder) Run(ctx context.Context) {
	warnings := time.NewTicker(warnEvery)
	defer warnings.Stop()
	for {
		select {
		case record := <-r.queue:
			r.write(ctx, record)
		case <-warnings.C:
			r.warn()
		case <-ctx.Done():
			return
		}
	}
}

// write stores the record, or after writeTries failures leaves it to the next event of its type.
func (r *Recorder) write(ctx context.Context, record Record) {
	var err error
	for try := 0; try < writeTries && ctx.Err() == nil; try++ {
		if err = r.writeOnce(ctx, record); err == nil {
			loop.Sleep(ctx, writeEvery)
			return
		}
		loop.Sleep(ctx, retryEvery)
	}
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen.forget(record.ID)
	r.drop(err.Error())
}

func (r *Recorder) writeOnce(ctx context.Context, record Record) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return r.store.PutEventType(ctx, record)
}

func (r *Recorder) warn() {
	r.mu.Lock()
	dropped, why := r.dropped, r.why
	r.dropped = 0
	r.mu.Unlock()
	if dropped > 0 {
		r.log.Warn("the types of some events are not recorded; the events themselves are not affected", "events", dropped, "reason", why)
	}
}
