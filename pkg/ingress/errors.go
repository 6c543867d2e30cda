package ingress

import (
	"errors"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What a Publisher answers with. status.go says which HTTP status each becomes.
var (
	// ErrUnavailable means that NATS did not confirm the event in time; it may be stored or not, and is safe to send again.
	ErrUnavailable = errors.New("event storage is unavailable")
	// ErrAttributesTooLarge means that the event's attributes and headers exceed what JetStream carries: 65,535 bytes, of which
	// the store keeps some free for what the event carries once it is a dead letter.
	ErrAttributesTooLarge = errors.New("attributes exceed what JetStream carries: 65535 bytes, 4096 of them kept free for dead letters")
	// ErrEventTooLarge means that attributes and data together exceed the NATS server's max_payload.
	ErrEventTooLarge = errors.New("event exceeds the size limit")
	// ErrLogFull is what a *LogFullError is; use errors.Is.
	ErrLogFull = errors.New("the log is full")
)

// What the Handler itself finds wrong with a request, before anything is published.
var (
	// ErrNoPath means that the request names nothing: its path is empty or "/", and its host is not that of a Channel.
	ErrNoPath = errors.New("no Broker in the path: post to /{namespace}/{name}")
	// ErrMalformedPath means that the path is neither a Broker's nor a Channel's.
	ErrMalformedPath = errors.New("malformed path: post to /{namespace}/{name}, or /channels/{namespace}/{name}")
	// ErrUnknownBroker means that the routes hold no such Broker.
	ErrUnknownBroker = errors.New("unknown Broker")
	// ErrUnknownChannel means that the routes hold no such Channel.
	ErrUnknownChannel = errors.New("unknown Channel")
	// ErrRefused means that the address takes no events of anybody; the message says why.
	ErrRefused = errors.New("forbidden")
	// ErrNoHTTPS means that the address is to be reached by https only, which it cannot be yet. Upstream has nobody listen there then.
	ErrNoHTTPS = errors.New("not found")
	// ErrBusy means that the requests in flight hold all of Config.Memory, or are as many as Config.MaxInFlight.
	ErrBusy = errors.New("too much in flight")
	// ErrBodyTimeout means that the body did not arrive within the server's read timeout.
	ErrBodyTimeout = errors.New("the body did not arrive in time")
	// ErrBody means that the body ended early or could not be read for another reason.
	ErrBody = errors.New("the body could not be read")
)

// LogFullError says whose log is full and which target's undelivered events hold it.
type LogFullError struct {
	Address route.Key
	// Holder is the target with the lowest cursor; nil when it could not be found out.
	Holder *route.TargetKey
	// Why is what else keeps the events when there is no such target; empty when that could not be found out.
	Why string
	// Exhausted is set when it is not the log's own limit that was reached, but what the NATS account or its disk has.
	Exhausted bool
}

// Error names the address and what holds its log.
func (e *LogFullError) Error() string {
	if e.Exhausted {
		return "NATS has no storage left for the log of " + e.Address.String()
	}
	message := "the log of " + e.Address.String() + " is full"
	switch {
	case e.Holder != nil:
		message += ": held by undelivered events of " + e.Holder.String()
	case e.Why != "":
		message += ": " + e.Why
	}
	return message
}

// Is reports that every *LogFullError is ErrLogFull.
func (e *LogFullError) Is(target error) bool { return target == ErrLogFull }

// storeError is a Publisher's error together with how much of the request is stored all the same.
type storeError struct {
	stored, total int
	cause         error
}

// Error is the cause's message.
func (e *storeError) Error() string { return e.cause.Error() }

// Unwrap is the cause.
func (e *storeError) Unwrap() error { return e.cause }

// unstored is how many events of a request are refused; 1 when storing has not begun.
func unstored(err error) int {
	if failed, ok := errors.AsType[*storeError](err); ok {
		return failed.total - failed.stored
	}
	return 1
}
