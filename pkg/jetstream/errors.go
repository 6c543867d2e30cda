package jetstream

import "errors"

var (
	// ErrServerTooOld means that NATS lacks message schedules, which parking needs (from 2.12 on).
	ErrServerTooOld = errors.New("nats-server is too old: 2.12 or newer is needed")
	// ErrNoJetStream means that JetStream is not enabled for the account that the connection uses.
	ErrNoJetStream = errors.New("JetStream is not enabled for this NATS account")
)
