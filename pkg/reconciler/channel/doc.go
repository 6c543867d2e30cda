// Package channel makes NatsJetStreamChannels true: their log, their route and those of their subscribers in NATS, the Service that
// gives them a host name, and their status.
package channel
