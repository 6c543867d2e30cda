// Package trigger makes Triggers of our Brokers true: their cursor and route in NATS, and their status. Triggers of other
// Brokers, or of none, are not touched.
package trigger
