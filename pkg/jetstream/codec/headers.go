package codec

import "strconv"

// header names of what travels with a directed message or a dead letter, beside the event.
const (
	HeaderSequence    = "kn-sequence"
	HeaderAttempt     = "kn-attempt"
	HeaderDestination = "kn-failed-destination"
	HeaderCode        = "kn-failed-code"
	HeaderReason      = "kn-failed-reason"
	HeaderBody        = "kn-failed-body"
	HeaderAttempts    = "kn-failed-attempts"
	HeaderSinkTries   = "kn-failed-sink-attempts"
	headerCopied      = "kn-failed-copied"
	HeaderTarget      = "kn-target"
	headerReplyBytes  = "kn-reply-bytes"
	HeaderStored      = "kn-stored"
	headerRun         = "kn-run"
	headerUnstored    = "kn-unstored"
	// These two tell where the event of a dead letter is that is too large to be kept whole, and how much data it has.
	HeaderStream    = "kn-stream"
	HeaderDataBytes = "kn-data-bytes"
)

func formatUint(n uint64) string { return strconv.FormatUint(n, 10) }
