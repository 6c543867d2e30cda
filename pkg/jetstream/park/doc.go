// Package park stores what has become of a delivery: a reply in the log, a retry in the directed
// stream, a dead letter in the dead-letter stream. It is dispatch.Store.
//
// The messages are named by the identity of the work (I9), so that storing the same outcome again
// replaces the first or is dropped by NATS.
package park
