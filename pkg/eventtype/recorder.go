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
	// queueLength bounds what waits to be written.
	queueLength = 256
	// writeEvery is the pause after a write, retryEvery that after one that failed: made-up types must not keep NATS busy.
	writeEvery = 20 * time.Millisecond
	retryEvery = time.Second
	// writeTries bounds the writes of one record: there may be no other event of its type, but others wait.
	writeTries = 10
	// writeTimeout bounds one write.
	writeTimeout = 5 * time.Second
	// sayEvery is the least time between two lines about what is not recorded.
	sayEvery = time.Minute
)

// Store keeps records. Writing the same one again keeps it for longer.
type Store interface {
	PutEventType(ctx context.Context, r Record) error
}

// Recorder writes each record that it is given to a Store, once in a while and in the background. Safe for concurrent use.
type Recorder struct {
	store Store
	log   *slog.Logger
	queue chan Record

	mu   sync.Mutex
	seen seen
	// dropped counts the events whose type was not recorded since that was last said; why is the last reason.
	dropped int
	why     string
}

// NewRecorder returns a recorder that writes nothing before Run. A nil logger is silent.
func NewRecorder(store Store, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Recorder{store: store, log: log, queue: make(chan Record, queueLength)}
}

// Record has the record written unless it was lately. It never blocks: what there is no room for is left to the next event.
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
	// What is kept for long must not hold on to the request that it was cut from.
	record.Type, record.Source = strings.Clone(record.Type), strings.Clone(record.Source)
	record.Schema, record.SpecVersion = strings.Clone(record.Schema), strings.Clone(record.SpecVersion)
	select {
	case r.queue <- record:
		r.seen.add(record.ID)
	default:
		r.drop("too many new ones at one time")
	}
}

// drop is called with the lock.
func (r *Recorder) drop(why string) {
	r.dropped++
	r.why = why
}

// Run writes until ctx ends; what waits then is left.
func (r *Recorder) Run(ctx context.Context) {
	say := time.NewTicker(sayEvery)
	defer say.Stop()
	for {
		select {
		case record := <-r.queue:
			r.write(ctx, record)
		case <-say.C:
			r.say()
		case <-ctx.Done():
			return
		}
	}
}

// write gives up after writeTries, and leaves the record to the next event of its type.
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

func (r *Recorder) say() {
	r.mu.Lock()
	dropped, why := r.dropped, r.why
	r.dropped = 0
	r.mu.Unlock()
	if dropped > 0 {
		r.log.Warn("the types of some events are not recorded; the events themselves are not affected", "events", dropped, "reason", why)
	}
}
