package route

import "cmp"

// deadLetterShare is which part of the log's limit the dead-letter stream of an address has that asks for none, and smallestRoom what it
// has at least, up to the log's: one message of the largest size that NATS takes by default, with what is said of its failure.
const (
	deadLetterShare = 4
	smallestRoom    = 2 << 20
)

// DeadLetterBytes is the byte limit of the address's dead-letter stream. NATS reserves it beside the log's.
func (l Log) DeadLetterBytes() int64 {
	return cmp.Or(l.DeadLetterMaxBytes, max(l.MaxBytes/deadLetterShare, min(l.MaxBytes, smallestRoom)))
}

// DirectedBytes is how much may be parked for the targets of the address. NATS reserves nothing for it: a stream with message schedules
// cannot refuse what is beyond a limit, and so the filter does that.
func (l Log) DirectedBytes() int64 { return l.MaxBytes }

// TotalBytes is the most that all streams of the address hold, on each of the servers that have a copy.
func (l Log) TotalBytes() int64 { return l.MaxBytes + l.DeadLetterBytes() + l.DirectedBytes() }
