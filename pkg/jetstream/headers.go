package jetstream

import "strconv"

// header names of what travels with a directed message or a dead letter, beside the event.
const (
	headerSequence    = "kn-sequence"
	headerAttempt     = "kn-attempt"
	headerDestination = "kn-failed-destination"
	headerCode        = "kn-failed-code"
	headerReason      = "kn-failed-reason"
	headerBody        = "kn-failed-body"
	headerAttempts    = "kn-failed-attempts"
	headerSinkTries   = "kn-failed-sink-attempts"
	headerTarget      = "kn-target"
	headerReplyBytes  = "kn-reply-bytes"
	headerStored      = "kn-stored"
	headerRun         = "kn-run"
	headerUnstored    = "kn-unstored"
	// These two tell where the event of a dead letter is that is too large to be kept whole, and how much data it has.
	headerStream    = "kn-stream"
	headerDataBytes = "kn-data-bytes"
)

func formatUint(n uint64) string { return strconv.FormatUint(n, 10) }
