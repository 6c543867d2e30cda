// Package send posts events to an ingress, one or a hundred thousand, and reports what became of them.
package send

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Mode is the CloudEvents content mode in which events are posted.
type Mode string

// The content modes of the CloudEvents HTTP binding.
const (
	Binary     Mode = "binary"
	Structured Mode = "structured"
	Batch      Mode = "batch"
)

// Options say what is sent, where and how. Every field without "0 means" must be set.
type Options struct {
	// To is the http or https URL of an address, such as http://127.0.0.1:8080/default/default.
	To    string
	Event Template
	// Events are sent as they are, each once, in place of Count events of the template Event; nil means that there are none.
	Events []event.Event
	Mode   Mode
	// BatchSize is the number of events in one request; it counts in Batch mode only.
	BatchSize int
	// Count is the number of events; it is not read when there are Events.
	Count int
	// Rate is the number of events per second that become due, whether or not earlier ones are answered. An event's
	// latency counts from when it was due, so a slow ingress can't hide behind the sender waiting for it. 0 means as fast as
	// the connections allow.
	Rate float64
	// Connections bounds the requests at one time.
	Connections int
	// Timeout bounds one request.
	Timeout time.Duration
	// Retries is how often a request is repeated, with the same ids, after a connection error or one of 429, 503 and 507;
	// 0 means never. An event whose answer was lost may be stored twice, unless its Broker de-duplicates.
	Retries int
	// Progress is called from many goroutines, each time with the number of events that were just answered or given up;
	// nil means that nobody watches.
	Progress func(events int)
}

// validate names the first field that is wrong, by the flag that sets it.
func (o Options) validate() error {
	target, err := url.Parse(o.To)
	switch {
	case err != nil:
		return fmt.Errorf("to: %w", err)
	case target.Scheme != "http" && target.Scheme != "https", target.Host == "":
		return fmt.Errorf("to: %q is no http or https URL", o.To)
	case o.Mode != Binary && o.Mode != Structured && o.Mode != Batch:
		return fmt.Errorf("mode: %q is none of binary, structured and batch", o.Mode)
	case o.Count < 1 && len(o.Events) == 0:
		return errors.New("count: must be at least 1")
	case o.Mode == Batch && o.BatchSize < 1:
		return errors.New("batch-size: must be at least 1")
	case o.Rate < 0, math.IsNaN(o.Rate), math.IsInf(o.Rate, 0):
		return errors.New("rate: must be a number that is not negative")
	case o.Connections < 1:
		return errors.New("connections: must be at least 1")
	case o.Timeout <= 0:
		return errors.New("timeout: must be positive")
	case o.Retries < 0:
		return errors.New("retry: must not be negative")
	}
	return o.Event.validate()
}

// withDefaults returns the options with what can be left out.
func (o Options) withDefaults() Options {
	o.Event = o.Event.withDefaults()
	if len(o.Events) > 0 {
		o.Count = len(o.Events)
	}
	return o
}

// event returns the run's event with this index.
func (o Options) event(i int, now time.Time) event.Event {
	if len(o.Events) > 0 {
		return o.Events[i]
	}
	return o.Event.event(i, o.Count, now)
}

// perRequest is the number of events that one request carries.
func (o Options) perRequest() int {
	if o.Mode == Batch {
		return o.BatchSize
	}
	return 1
}
