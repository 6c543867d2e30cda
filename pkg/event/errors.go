package event

import (
	"errors"
	"strconv"
)

var (
	// ErrNotCloudEvent means no ce-specversion header, and no structured content type that we read.
	ErrNotCloudEvent = errors.New("not a CloudEvent")
	// ErrMalformed means that a structured body is no JSON object, or a batched one no JSON array.
	ErrMalformed = errors.New("malformed CloudEvents JSON")
	// ErrBatchTooLong means that a batch holds more than MaxBatchEvents events.
	ErrBatchTooLong = errors.New("batch holds more than " + strconv.Itoa(MaxBatchEvents) + " events")
	// ErrCharset means that a structured or batched message announces a charset other than UTF-8.
	ErrCharset = errors.New("no support for the charset")
	// ErrHopsExhausted means that the event has no hop left; see HopCount, Arrive and Reply.
	ErrHopsExhausted = errors.New("hop count (" + HopCount + ") is exhausted")
)

// AttributeError names the invalid attribute (or data member of the JSON envelope), and the reason.
type AttributeError struct {
	Attribute, Reason string
}

const notAName = "is no attribute name: lower-case letters and digits only"

// Error names the attribute and the reason.
func (e *AttributeError) Error() string {
	return "attribute " + strconv.Quote(e.Attribute) + " " + e.Reason
}

// BatchError says which event of a batch (from 0) is invalid. Err is mostly an *AttributeError.
type BatchError struct {
	Index int
	Err   error
}

// Error names the index and the fault.
func (e *BatchError) Error() string {
	return "event " + strconv.Itoa(e.Index) + " of the batch: " + e.Err.Error()
}

// Unwrap returns Err.
func (e *BatchError) Unwrap() error { return e.Err }
