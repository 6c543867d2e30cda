package bench

import (
	"errors"
	"fmt"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
)

// Names of the processes of a run.
const (
	// ProcessLoad is the benchmark's own, which is the sender and the subscribers.
	ProcessLoad    = "load and subscribers"
	ProcessNATS    = "nats-server"
	ProcessIngress = "ingress"
	ProcessFilter  = "filter"
	ProcessFloor   = "floor"
)

// ErrLost means that an accepted event came to nobody: such a run says nothing about speed.
var ErrLost = errors.New("accepted events are lost")

// Result is what a run has found.
type Result struct {
	Options Options   `json:"options"`
	At      time.Time `json:"at"`
	ledger.Tally
	// Refused counts events by the status of their answer; 0 is no answer.
	Refused map[int]int `json:"refused,omitempty"`
	// Foreign counts requests to the subscribers that were none of this run's events.
	Foreign int `json:"foreign,omitempty"`
	// Span is the time that is measured: from the end of the warm-up to the end of the load; with a backlog alone, from the first
	// delivery to the last. Drain is how long after the load the last event arrived.
	Span  time.Duration `json:"span"`
	Drain time.Duration `json:"drain,omitempty"`
	// The rates are those of the span.
	AcceptedPerSecond  float64 `json:"acceptedPerSecond"`
	DeliveredPerSecond float64 `json:"deliveredPerSecond,omitempty"`
	// Accept is the time from when a request was due to its answer, EndToEnd from then to the event's arrival.
	Accept   latency.Summary `json:"accept"`
	EndToEnd latency.Summary `json:"endToEnd,omitzero"`
	// LongestPause is the longest time in which no event arrived.
	LongestPause time.Duration `json:"longestPause,omitempty"`
	Processes    []ProcessUse  `json:"processes,omitempty"`
	Timeline     []Sample      `json:"timeline,omitempty"`
}

// ProcessUse is what a process has used in the span.
type ProcessUse struct {
	Name string `json:"name"`
	// CPU is the time of all CPUs together, CPUPerEvent that for each accepted event, or, with a backlog alone, each delivered one.
	CPU         time.Duration `json:"cpu"`
	CPUPerEvent time.Duration `json:"cpuPerEvent"`
	// Peak is the most memory that it had since it started, Resident what it has at the end of the span, in bytes.
	Peak     int64 `json:"peak"`
	Resident int64 `json:"resident"`
}

// Sample is how things stood at a time after the run began.
type Sample struct {
	At       time.Duration `json:"at"`
	Accepted int           `json:"accepted"`
	Settled  int           `json:"settled"`
	Usage    []SampleUse   `json:"usage,omitempty"`
}

// SampleUse is what a process had used by then; the processes are those of the Result, in that order.
type SampleUse struct {
	CPU      time.Duration `json:"cpu"`
	Resident int64         `json:"resident"`
	peak     int64
}

// CPUPerEvent is that of the process with this name, or of all together for ""; 0 when it is not known.
func (r Result) CPUPerEvent(name string) time.Duration {
	var sum time.Duration
	for _, p := range r.Processes {
		if name == "" || p.Name == name {
			sum += p.CPUPerEvent
		}
	}
	return sum
}

// Process returns what the process with this name has used.
func (r Result) Process(name string) ProcessUse {
	for _, p := range r.Processes {
		if p.Name == name {
			return p
		}
	}
	return ProcessUse{}
}

// Err returns ErrLost with the number of lost events; an error, too, when nothing was accepted; else nil.
func (r Result) Err() error {
	switch {
	case r.Lost > 0:
		return fmt.Errorf("%w: %d of %d deliveries", ErrLost, r.Lost, r.Expected)
	case r.Accepted == 0:
		return fmt.Errorf("no event was accepted: %v (answers by status, 0 is none)", r.Refused)
	}
	return nil
}
