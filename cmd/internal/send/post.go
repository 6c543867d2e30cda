package send

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

const (
	firstDelay = 100 * time.Millisecond
	maxDelay   = 10 * time.Second
	// maxRetryAfter bounds how long an ingress can make the sender wait.
	maxRetryAfter = time.Minute
	// headBytes is how much of an answer is kept; drainBytes how much is read so that the connection can be used again.
	headBytes, drainBytes = 1 << 10, 64 << 10
)

// poster makes the requests of one run. Safe for concurrent use.
type poster struct {
	client  *http.Client
	to      string
	retries int
}

// newPoster returns a poster and a function that closes its idle connections.
func newPoster(options Options) (*poster, func()) {
	transport := &http.Transport{
		MaxIdleConnsPerHost: options.Connections,
		MaxConnsPerHost:     options.Connections,
		DisableCompression:  true,
	}
	client := &http.Client{
		Transport: transport,
		Timeout:   options.Timeout,
		// A redirect is an answer of its own: an ingress that sends one has not taken the event.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &poster{client: client, to: options.To, retries: options.Retries}, transport.CloseIdleConnections
}

// message is one request: its headers, its body, and how many events it carries.
type message struct {
	header http.Header
	body   []byte
	events int
}

// outcome is the last answer to a message, and how many requests came before it.
type outcome struct {
	status     int
	head       []byte
	retryAfter string
	err        error
	retries    int
}

// post sends the message until it is accepted, refused for good or out of retries.
func (p *poster) post(ctx context.Context, m message) outcome {
	for attempt := 0; ; attempt++ {
		last := p.try(ctx, m)
		last.retries = attempt
		if attempt >= p.retries || !last.isTemporary() || !loop.Sleep(ctx, last.delay(attempt)) {
			return last
		}
	}
}

func (p *poster) try(ctx context.Context, m message) outcome {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.to, bytes.NewReader(m.body))
	if err != nil {
		return outcome{err: err}
	}
	request.Header = m.header
	response, err := p.client.Do(request)
	if err != nil {
		return outcome{err: err}
	}
	defer response.Body.Close()
	// The status is the answer; a body that breaks off takes nothing away from it.
	head, _ := io.ReadAll(io.LimitReader(response.Body, headBytes))
	_, _ = io.CopyN(io.Discard, response.Body, drainBytes)
	return outcome{status: response.StatusCode, head: head, retryAfter: response.Header.Get("Retry-After")}
}

// accepted returns how many of the message's events are stored: all after a 2xx, and as many as the ingress says when it
// failed in the middle of a batch.
func (o outcome) accepted(m message) int {
	if o.status/100 == 2 {
		return m.events
	}
	var report struct {
		Stored int `json:"stored"`
	}
	if m.events == 1 || json.Unmarshal(o.head, &report) != nil {
		return 0
	}
	return min(max(report.Stored, 0), m.events)
}

func (o outcome) isTemporary() bool {
	switch o.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInsufficientStorage:
		return true
	}
	return o.err != nil && !errors.Is(o.err, context.Canceled)
}

// delay returns how long to wait before the next request: what Retry-After says, or a back-off with jitter.
func (o outcome) delay(attempt int) time.Duration {
	if seconds, err := strconv.Atoi(o.retryAfter); err == nil && seconds >= 0 {
		return min(time.Duration(min(seconds, 3600))*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(o.retryAfter); err == nil {
		return min(max(time.Until(at), 0), maxRetryAfter)
	}
	backoff := min(firstDelay<<min(attempt, 10), maxDelay)
	return backoff/2 + rand.N(backoff/2)
}
