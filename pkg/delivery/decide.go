package delivery

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Action is what to do with an event after a request. The zero Action is invalid.
type Action int

// The actions.
const (
	// Delivered means that the event is done once the reply, if any, is stored.
	Delivered Action = iota + 1
	// Retry means another request after Outcome.After.
	Retry
	// DeadLetter means that the event becomes a dead letter.
	DeadLetter
)

// Result is the result of one request.
type Result struct {
	// StatusCode is the response's status; below 1 means no response.
	StatusCode int
	// RetryAfter is the response's Retry-After header, or "".
	RetryAfter string
	// Now is when the response came. A Retry-After with a date counts from Now.
	Now time.Time
	// Err is a failure whatever the status: no connection, no response in time, a malformed reply.
	Err error
	// Body is the response's body or its head, for the reason in an Outcome.
	Body []byte
}

// Outcome says what to do next. After is set for Retry, Reason for Retry and DeadLetter.
type Outcome struct {
	Action Action
	After  time.Duration
	Reason string
}

// Decide returns what to do after a request. attempt counts the failed requests before it, from 0.
//
// A 2xx is delivered. 404, 408, 409, 429, 5xx and every Result.Err are tried again, up to
// Policy.Retry times after the first attempt; every other status and ErrPermanent are dead-lettered
// at once. Source: knative.dev/eventing pkg/kncloudevents/retries.go (SelectiveRetry) and
// specs/eventing/data-plane.md.
func (p Policy) Decide(attempt int, r Result) Outcome {
	if r.Err == nil && r.StatusCode >= 200 && r.StatusCode <= 299 {
		return Outcome{Action: Delivered}
	}
	reason := r.reason()
	switch {
	case !r.transient():
		return Outcome{Action: DeadLetter, Reason: reason + " is not retried"}
	case p.Retry <= 0:
		return Outcome{Action: DeadLetter, Reason: reason + "; the delivery spec has no retries"}
	case attempt >= p.Retry:
		return Outcome{Action: DeadLetter, Reason: reason + "; retries used up (" + strconv.Itoa(p.Retry) + ")"}
	default:
		return Outcome{Action: Retry, After: max(p.backoff(attempt), p.retryAfter(r)), Reason: reason}
	}
}

// RequestTimeout bounds one request, from its start to the end of the response's body.
func (p Policy) RequestTimeout() time.Duration {
	if p.Timeout > 0 {
		return p.Timeout
	}
	return DefaultTimeout
}

// transient reports whether a later attempt may succeed. 404 and 409 count: a subscriber's route
// answers 404 while the subscriber starts, and upstream's own test subscribers answer 409.
func (r Result) transient() bool {
	if r.Err != nil {
		return !errors.Is(r.Err, ErrPermanent)
	}
	switch r.StatusCode {
	case http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	default:
		return r.StatusCode < 1 || r.StatusCode >= 500
	}
}

func (r Result) reason() string {
	switch {
	case r.Err != nil:
		return r.Err.Error()
	case r.StatusCode < 1:
		return "no response"
	default:
		reason := "status " + strconv.Itoa(r.StatusCode)
		if text := http.StatusText(r.StatusCode); text != "" {
			reason += " (" + text + ")"
		}
		if quote := quoted(r.Body); quote != "" {
			reason += ": " + quote
		}
		return reason
	}
}

// maxQuoted bounds the bytes of a body that a reason quotes.
const maxQuoted = 200

// quoted returns the head of a response's body in one line and in quotes; "" if that is no text.
func quoted(body []byte) string {
	head := body[:min(len(body), maxQuoted)]
	for cut := 0; cut < utf8.UTFMax && cut < len(head) && len(head) < len(body) && !utf8.Valid(head); cut++ {
		head = head[:len(head)-1] // a character that is cut in two
	}
	if !utf8.Valid(head) || bytes.IndexByte(head, 0) >= 0 {
		return ""
	}
	line := strings.Join(strings.Fields(string(head)), " ")
	switch {
	case line == "":
		return ""
	case len(head) < len(body):
		line += " ..."
	}
	return strconv.Quote(line)
}
