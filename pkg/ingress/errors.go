package ingress

import (
	"errors"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Errors of a Publisher. answerTo has the HTTP status of each.
var (
	// ErrUnavailable means that NATS did not confirm the event in time. The event may be stored or
	// not; sending it again is safe.
	ErrUnavailable = errors.New("event storage is unavailable")
	// ErrAttributesTooLarge means that the event's attributes and headers exceed the 65,535 bytes
	// that JetStream stores, less the part kept free for the attributes of a dead letter.
	ErrAttributesTooLarge = errors.New("attributes exceed what JetStream carries: 65535 bytes, 4096 of them kept free for dead letters")
	// ErrEventTooLarge means that attributes and data together exceed the server's max_payload.
	ErrEventTooLarge = errors.New("event exceeds the size limit")
	// ErrLogFull matches every *LogFullError by errors.Is.
	ErrLogFull = errors.New("the log is full")
)

// Errors that the Handler finds in a request, before anything is published.
var (
	// ErrNoPath means that the path is empty or "/" and the host is not a Channel's.
	ErrNoPath = errors.New("no Broker in the path: post to /{namespace}/{name}")
	// ErrMalformedPath means that the path is neither a Broker's nor a Channel's.
	ErrMalformedPath = errors.New("malformed path: post to /{namespace}/{name}, or /channels/{namespace}/{name}")
	// ErrUnknownBroker means that the process knows no such Broker.
	ErrUnknownBroker = errors.New("unknown Broker")
	// ErrUnknownChannel means that the process knows no such Channel.
	ErrUnknownChannel = errors.New("unknown Channel")
	// ErrRefused means that the address takes no events from anybody; the message says why.
	ErrRefused = errors.New("forbidden")
	// ErrNoHTTPS means that the address takes only https, which is not served yet.
	ErrNoHTTPS = errors.New("not found")
	// ErrBusy means that the requests in flight use up Config.Memory or Config.MaxInFlight.
	ErrBusy = errors.New("too much in flight")
	// ErrBodyTimeout means that the body did not arrive within the server's read timeout.
	ErrBodyTimeout = errors.New("the body did not arrive in time")
	// ErrBody means that the body ended early or could not be read for another reason.
	ErrBody = errors.New("the body could not be read")
)

// LogFullError says whose log is full, and which target's undelivered events fill it.
type LogFullError struct {
	Address route.Key
	// Holder is the target with the lowest cursor; nil when unknown.
	Holder *route.TargetKey
	// Why is the reason when no target holds the events; empty when unknown.
	Why string
	// Exhausted is set when not the log but the NATS account or its disk is full.
	Exhausted bool
}

// Error names the address and the reason.
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

// storeError is a Publisher's error, and how many events of the request are stored nevertheless.
type storeError struct {
	stored, total int
	cause         error
}

func (e *storeError) Error() string { return e.cause.Error() }

func (e *storeError) Unwrap() error { return e.cause }

// unstored returns how many events of a request are refused; 1 when storing has not begun.
func unstored(err error) int {
	if failed, ok := errors.AsType[*storeError](err); ok {
		return failed.total - failed.stored
	}
	return 1
}
