// Package publish stores messages in streams, and matches the PubAcks.
//
// A message counts as stored only when the stream that it was meant for says so (I1): each message
// names that stream, and an answer of another stream, or with a sequence below the first of the
// log, counts for nothing. Without a PubAck it is sent again, under the same id, until ctx ends.
package publish
