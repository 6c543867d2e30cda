package jetstream

import "errors"

var (
	// ErrServerTooOld means that the NATS server lacks message schedules, which parked events need (nats-server 2.12).
	ErrServerTooOld = errors.New("nats-server is too old: 2.12 or newer is needed")
	// ErrNoJetStream means that JetStream is not enabled for the account that the connection uses.
	ErrNoJetStream = errors.New("JetStream is not enabled for this NATS account")
)
