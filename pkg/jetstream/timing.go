package jetstream

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The time budget of a message. Each line depends on the one above it.
const (
	// AckWait is how long the server waits for an ack, or a renewal of the lease, before it
	// delivers a message again: the longest extra delay after a crash.
	AckWait = 15 * time.Second
	// renewEvery leaves time for two more renewals before a lease runs out.
	renewEvery = AckWait / 3
	// PublishBudget bounds storing one event, retries included.
	PublishBudget = 10 * time.Second
	// DuplicateWindow is how long the server remembers a message id. It spans a crash just before
	// the ack: the event is delivered again, and its reply or dead letter is stored once.
	DuplicateWindow = AckWait + PublishBudget + renewEvery
)

// RetryPause is how long a background loop waits before it tries a failed step again.
const RetryPause = time.Second

// Timing holds what a test may change: shorter time budgets, sequences that count from 1.
type Timing struct {
	// Now is the clock of this process.
	Now func() time.Time
	// FirstSequence returns the first sequence of a new stream (see createStream in package owner).
	FirstSequence func() uint64
	// AckWait and RenewEvery are the constants.
	AckWait, RenewEvery time.Duration
	// TrimEvery is how often a log is trimmed. A purge stalls the stream briefly: seldom is better.
	TrimEvery time.Duration
	// CheckEvery is how often WatchBucket checks that its bucket is the same, and no change missed.
	CheckEvery time.Duration
	// Heartbeat is how often the server confirms that a pull request is open.
	Heartbeat time.Duration
	// ReportTTL is route.ReportTTL.
	ReportTTL time.Duration
	// RouteMarkerTTL is how long NATS keeps the delete marker of a purged record. A watch gets the
	// marker at once, and the record was a swept tombstone long before.
	RouteMarkerTTL time.Duration
	// Overdue is how long after its due time a parked event counts as forgotten by the server.
	Overdue time.Duration
	// StrayPatience is how long a member without a record stays in its shared consumer. The owner
	// rewrites a record deleted by hand within seconds, and repeats a failed Put in minutes.
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
