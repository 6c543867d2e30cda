// Package delivery holds the rules of a delivery: what a response means, when to try again, when to
// give up. Its functions are pure: no clock, no HTTP, no NATS.
package delivery

import "time"

// Defaults and limits that a delivery spec does not name.
const (
	// DefaultTimeout bounds one request when the delivery spec has no timeout.
	DefaultTimeout = 15 * time.Minute
	// MaxBackoff caps every computed delay: exponential back-off reaches days after few retries.
	MaxBackoff = time.Hour
)

// Backoff is how the delay grows from one attempt to the next.
type Backoff string

// The back-off policies of the delivery spec; a spec that names none has "".
const (
	LinearBackoff      Backoff = "linear"
	ExponentialBackoff Backoff = "exponential"
)

// Format is the CloudEvents content mode in which a subscriber gets its events.
type Format string

// The formats of the delivery spec; a spec that names none has "", which means binary.
const (
	BinaryFormat Format = "binary"
	JSONFormat   Format = "json"
)

// Policy is a delivery spec with parsed durations. The zero Policy is one attempt.
type Policy struct {
	// Retry is the number of attempts after the first.
	Retry   int           `json:"retry,omitempty"`
	Backoff Backoff       `json:"backoff,omitempty"`
	Delay   time.Duration `json:"delay,omitempty"`
	// Timeout bounds one request; 0 means DefaultTimeout.
	Timeout time.Duration `json:"timeout,omitempty"`
	// RetryAfterMax bounds the delay from a Retry-After header; nil or 0 ignores the header.
	RetryAfterMax *time.Duration `json:"retryAfterMax,omitempty"`
	Format        Format         `json:"format,omitempty"`
}
