package jetstream

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The time budget of a message. Each line depends on the one above it.
const (
	// AckWait is how long a message stays with a filter that has stopped renewing its lease: the longest extra wait after a crash.
	AckWait = 15 * time.Second
	// renewEvery leaves two more tries before a lease runs out.
	renewEvery = AckWait / 3
	// PublishBudget bounds storing one event, retries included.
	PublishBudget = 10 * time.Second
	// DuplicateWindow is how long the server remembers a message id. It spans a crash just before the ack: the lease
	// runs out, the event is delivered again, and its reply or dead letter is stored once.
	DuplicateWindow = AckWait + PublishBudget + renewEvery
)

// RetryPause is how long a background loop waits before it tries a failed step again.
const RetryPause = time.Second

// Timing holds what a test may want otherwise: shorter time budgets, sequences that count from 1.
type Timing struct {
	// Now is what this process takes for the time.
	Now func() time.Time
	// FirstSequence is where the sequences of a new stream begin (see createStream).
	FirstSequence func() uint64
	// AckWait and RenewEvery are the constants.
	AckWait, RenewEvery time.Duration
	// TrimEvery is how often a log is trimmed of whatever it can spare. A purge stalls the stream for a moment: seldom is better.
	TrimEvery time.Duration
	// CheckEvery is how often a watch of a bucket makes sure that its bucket is still the same, and that it hears of what is written.
	CheckEvery time.Duration
	// Heartbeat is how often the server says that it keeps a pull request open.
	Heartbeat time.Duration
	// ReportTTL is route.ReportTTL.
	ReportTTL time.Duration
	// RouteMarkerTTL is how long NATS keeps the mark that a record is purged; who watches hears of it at once, and the record was a
	// swept tombstone for long.
	RouteMarkerTTL time.Duration
	// Overdue is how long after its time a parked event is taken for forgotten by the server.
	Overdue time.Duration
	// StrayPatience is how long a member of a shared consumer of whom there is no record stays one. The owner of a target whose record
	// was deleted by hand writes it again within seconds; a Put that failed half-way is tried again within minutes.
	StrayPatience time.Duration
}

// DefaultTiming is the timing of a process that serves.
func DefaultTiming() Timing {
	return Timing{
		Now:            time.Now,
		FirstSequence:  func() uint64 { return uint64(time.Now().UnixMicro()) }, //nolint:gosec // after 1970
		AckWait:        AckWait,
		RenewEvery:     renewEvery,
		TrimEvery:      30 * time.Second,
		CheckEvery:     5 * time.Second,
		Heartbeat:      5 * time.Second,
		ReportTTL:      route.ReportTTL,
		RouteMarkerTTL: time.Hour,
		Overdue:        30 * time.Second,
		StrayPatience:  10 * time.Minute,
	}
}
