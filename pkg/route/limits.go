package route

import "cmp"

// Without a limit of its own the dead-letter stream gets 1/deadLetterShare of the log's limit, but at least minDeadLetterBytes
// (one message of NATS's default max_payload fits) or the log's whole limit.
const (
	deadLetterShare    = 4
	minDeadLetterBytes = 2 << 20
)

// DeadLetterBytes is the byte limit of the dead-letter stream. NATS reserves it.
func (l Log) DeadLetterBytes() int64 {
	return cmp.Or(l.DeadLetterMaxBytes, max(l.MaxBytes/deadLetterShare, min(l.MaxBytes, minDeadLetterBytes)))
}

// DirectedBytes bounds what may be parked for the targets of the address. NATS reserves nothing for
// it: a stream with message schedules cannot refuse messages beyond a limit, so the filter does.
func (l Log) DirectedBytes() int64 { return l.MaxBytes }

// TotalBytes bounds all streams of the address together, on each server with a replica.
func (l Log) TotalBytes() int64 { return l.MaxBytes + l.DeadLetterBytes() + l.DirectedBytes() }
