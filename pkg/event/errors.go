package event

import (
	"errors"
	"strconv"
)

var (
	// ErrNotCloudEvent means that a message carries no CloudEvent at all: neither a ce-specversion header nor a
	// structured content type that this package reads.
	ErrNotCloudEvent = errors.New("not a CloudEvent")
	// ErrMalformed means that the body of a structured or batched message is not the JSON that its content type promises.
	ErrMalformed = errors.New("malformed CloudEvents JSON")
	// ErrBatchTooLong means that a batch holds more than MaxBatchEvents events.
	ErrBatchTooLong = errors.New("batch holds more than " + strconv.Itoa(MaxBatchEvents) + " events")
	// ErrCharset means that the JSON of a structured or batched message is announced in another charset than UTF-8.
	ErrCharset = errors.New("no support for the charset")
	// ErrHopsExhausted means that the event went round as a reply as often as it may; see Arrive and Reply.
	ErrHopsExhausted = errors.New("hop count (" + HopCount + ") is exhausted")
)

// AttributeError says which attribute (or data member of the JSON envelope) makes an event invalid, and why.
type AttributeError struct {
	Attribute, Reason string
}

const notAName = "is no attribute name: lower-case letters and digits only"

// Error names the attribute and the reason.
func (e *AttributeError) Error() string {
	return "attribute " + strconv.Quote(e.Attribute) + " " + e.Reason
}

// BatchError says which event of a batch, counted from 0, is invalid. Err is mostly an *AttributeError.
type BatchError struct {
	Index int
	Err   error
}

// Error names the index and what is wrong there.
func (e *BatchError) Error() string {
	return "event " + strconv.Itoa(e.Index) + " of the batch: " + e.Err.Error()
}

// Unwrap returns what is wrong with the event.
func (e *BatchError) Unwrap() error { return e.Err }
