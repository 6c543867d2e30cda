// Package publish stores messages in streams, and matches the PubAcks.
//
// A message counts as stored only when the stream that it was meant for says so (I1): each message
// names that stream, and an answer of another one, or with a sequence below the first of the log,
// counts for nothing. What got no PubAck is sent again under the same message id until the time of
// the caller is over.
package publish
