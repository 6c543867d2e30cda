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

// Action is what to do with an event after a request. The zero Action is none of them.
type Action int

// The actions.
const (
	// Delivered ends the work once the reply, if any, is stored.
	Delivered Action = iota + 1
	// Retry asks for another request after Outcome.After.
	Retry
	// DeadLetter gives the subscriber up.
	DeadLetter
)

// Result is what came of one request.
type Result struct {
	// StatusCode is the response's status; below 1 means that there was no response.
	StatusCode int
	// RetryAfter is the response's Retry-After header, "" when it has none.
	RetryAfter string
	// Now is when the response came; a Retry-After that holds a date counts from here.
	Now time.Time
	// Err is why the delivery failed whatever the status: no connection, no response in time, a malformed reply.
	Err error
	// Body is the response's, or its head: it often says what the status does not.
	Body []byte
}

// Outcome says what to do next. After is set for Retry, Reason for Retry and DeadLetter.
type Outcome struct {
	Action Action
	After  time.Duration
	Reason string
}

// Decide tells what to do after a request, attempt counting the failed requests before it (0: it was the first).
//
// A 2xx is delivered. 5xx, 404, 408, 409, 429 and every Result.Err are tried again until Policy.Retry attempts have
// followed the first; all other statuses, and ErrPermanent, are dead-lettered at once. Without Policy.Retry no failure is tried again.
// Source: knative.dev/eventing pkg/kncloudevents/retries.go (SelectiveRetry) and specs/eventing/data-plane.md.
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

// transient tells whether a later attempt may succeed where this failure happened. 404 and 409 are among these:
// a subscriber's route answers 404 while the subscriber starts, and upstream's own test subscribers answer 409.
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
		if said := said(r.Body); said != "" {
			reason += ": " + said
		}
		return reason
	}
}

// maxSaid is how many bytes of a body a reason holds.
const maxSaid = 200

// said is the head of a response's body in one line and in quotes; empty when the body is no text.
func said(body []byte) string {
	head := body[:min(len(body), maxSaid)]
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
