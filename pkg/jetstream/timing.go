package jetstream

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The time budget of a message. Each line depends on the one above it.
const (
	// ackWait is how long a message stays with a filter that has stopped renewing its lease: the longest extra wait after a crash.
	ackWait = 15 * time.Second
	// renewEvery leaves two more tries before a lease runs out.
	renewEvery = ackWait / 3
	// publishBudget bounds storing one event, retries included.
	publishBudget = 10 * time.Second
	// duplicateWindow is how long the server remembers a message id. It spans a crash just before the ack: the lease
	// runs out, the event is delivered again, and its reply or dead letter is stored once.
	duplicateWindow = ackWait + publishBudget + renewEvery
)

// timing holds what a test may want otherwise: shorter time budgets, sequences that count from 1.
type timing struct {
	// now is what this process takes for the time.
	now func() time.Time
	// firstSequence is where the sequences of a new stream begin (see createStream).
	firstSequence func() uint64

	ackWait, renewEvery time.Duration
	trimEvery           time.Duration
	checkEvery          time.Duration
	heartbeat           time.Duration
	reportTTL           time.Duration
	routeMarkerTTL      time.Duration
	overdue             time.Duration
	strayPatience       time.Duration
}

func defaultTiming() timing {
	return timing{
		now:           time.Now,
		firstSequence: func() uint64 { return uint64(time.Now().UnixMicro()) }, //nolint:gosec // after 1970
		ackWait:       ackWait, renewEvery: renewEvery, trimEvery: trimEvery,
		checkEvery: checkEvery, heartbeat: pullHeartbeat, reportTTL: route.ReportTTL, routeMarkerTTL: routeMarkerTTL,
		overdue: overdue, strayPatience: strayPatience,
	}
}

// overdue is how long after its time a parked event is taken for forgotten by the server.
const overdue = 30 * time.Second

// strayPatience is how long a member of a shared consumer of whom there is no record stays one. The owner of a target whose record was
// deleted by hand writes it again within seconds; a Put that failed half-way is tried again within minutes.
const strayPatience = 10 * time.Minute
