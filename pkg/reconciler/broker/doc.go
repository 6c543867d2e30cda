// Package broker makes Brokers of our class true: their log and route in NATS, and their status.
package broker
