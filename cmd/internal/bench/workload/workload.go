// Package workload says what events a benchmark sends, and which Triggers get which of them: as data, as HTTP requests, and as the
// YAML of a Broker and its Triggers.
package workload

import (
	"errors"
	"fmt"
	"slices"
)

// Mode is the content mode in which events are posted.
type Mode string

// The content modes of the CloudEvents HTTP binding.
const (
	Binary     Mode = "binary"
	Structured Mode = "structured"
	Batch      Mode = "batch"
)

// Filter is how the Triggers choose their events.
type Filter string

// What a subject of NATS can express, what it cannot, and no filter: then every Trigger gets every event.
const (
	FilterNone   Filter = "none"
	FilterType   Filter = "type"
	FilterPrefix Filter = "prefix"
	FilterSuffix Filter = "suffix"
	FilterCESQL  Filter = "cesql"
)

// Bounds of what one machine can be asked for.
const (
	MaxTypes    = 10_000
	MaxTriggers = 10_000
	MaxSize     = 16 << 20
	MaxBatch    = 10_000
)

// Workload is what is sent and who gets it. Event number i has type i modulo Types.
type Workload struct {
	Types int `json:"types"`
	// FanOut is the number of Triggers that get the events of a type; with FilterNone, the number of Triggers. 0 is for the ingress alone.
	FanOut int `json:"fanOut"`
	// Idle is the number of further Triggers that match no event.
	Idle   int    `json:"idle,omitempty"`
	Filter Filter `json:"filter"`
	// Size is the size of an event's data in bytes.
	Size int  `json:"size"`
	Mode Mode `json:"mode"`
	// Batch is the number of events in a request of Mode Batch.
	Batch int `json:"batch,omitempty"`
	// Replies has the first Trigger of each type answer with an event, which one more Trigger gets.
	Replies bool `json:"replies,omitempty"`
}

// Validate names the first field that is wrong, by its flag.
func (w Workload) Validate() error {
	switch {
	case w.Types < 1 || w.Types > MaxTypes:
		return fmt.Errorf("--types must be from 1 to %d", MaxTypes)
	case w.FanOut < 0 || w.Idle < 0:
		return errors.New("--triggers and --idle-triggers must not be negative")
	case w.triggers() > MaxTriggers:
		return fmt.Errorf("--types, --triggers and --idle-triggers ask for %d Triggers; the most is %d", w.triggers(), MaxTriggers)
	case !slices.Contains([]Filter{FilterNone, FilterType, FilterPrefix, FilterSuffix, FilterCESQL}, w.Filter):
		return fmt.Errorf("--filter is %q; it is none, type, prefix, suffix or cesql", w.Filter)
	case w.Size < 0 || w.Size > MaxSize:
		return fmt.Errorf("--size must be from 0 to %d", MaxSize)
	case !slices.Contains([]Mode{Binary, Structured, Batch}, w.Mode):
		return fmt.Errorf("--mode is %q; it is binary, structured or batch", w.Mode)
	case w.Mode == Batch && (w.Batch < 1 || w.Batch > MaxBatch):
		return fmt.Errorf("--batch-size must be from 1 to %d", MaxBatch)
	case w.Replies && (w.Filter == FilterNone || w.FanOut == 0):
		return errors.New("--replies needs Triggers with a filter: without one they would get the replies too")
	}
	return nil
}

// PerRequest is the number of events in one request.
func (w Workload) PerRequest() int {
	if w.Mode == Batch {
		return w.Batch
	}
	return 1
}

// TargetsPerEvent is how often each event is to be delivered, its reply included.
func (w Workload) TargetsPerEvent() int {
	if w.Replies {
		return w.FanOut + 1
	}
	return w.FanOut
}

// TypeName is the type of the events with this number; prefix and suffix tell it from all others.
func TypeName(n int) string { return fmt.Sprintf("bench.t%04d.made.t%04d", n, n) }

// ReplyType is the type of replies.
const ReplyType = "bench.reply"

func (w Workload) triggers() int {
	n := w.Idle + w.FanOut
	if w.Filter != FilterNone {
		n = w.Idle + w.FanOut*w.Types
	}
	if w.Replies {
		n++
	}
	return n
}
