// Package codec turns messages of NATS into events and work, and back. It does no I/O.
//
// Whatever lies in a stream becomes work that somebody can acknowledge: what cannot be read becomes
// the dead letter that says why.
package codec
