// Package codec turns messages of NATS into events and work, and back. It does no I/O. Each message
// of a stream becomes work that can be acknowledged: a malformed one becomes a dead letter.
package codec
