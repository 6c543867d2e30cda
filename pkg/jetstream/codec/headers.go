package codec

import "strconv"

// Headers of directed messages and dead letters, beside those of the event.
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
	// If a dead letter lacks its large event: the stream that has it, and the size of the data.
	HeaderStream    = "kn-stream"
	HeaderDataBytes = "kn-data-bytes"
)

func formatUint(n uint64) string { return strconv.FormatUint(n, 10) }
