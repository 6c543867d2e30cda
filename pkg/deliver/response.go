package deliver

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
)

const (
	// failureLimit bounds the body of an answer that cannot be a reply; a dead letter carries less.
	failureLimit = 4 << 10
	// drainLimit and drainTime bound the reading of the rest of a truncated body, which allows the
	// connection to be used again. Beyond that a new connection is cheaper.
	drainLimit = 64 << 10
	drainTime  = 250 * time.Millisecond
	// preallocated bounds the memory that is taken because of a Content-Length alone.
	preallocated = 64 << 10
)

// receive reads the answer. giveUp ends a read that hangs; the caller closes the body.
func receive(incoming *http.Response, replyLimit int64, giveUp func()) dispatch.Response {
	response := dispatch.Response{StatusCode: incoming.StatusCode, Header: incoming.Header}
	if incoming.StatusCode < http.StatusOK {
		return response // 101: an endless stream may follow
	}
	limit, mayBeReply := int64(failureLimit), isReply(incoming.StatusCode)
	if mayBeReply {
		limit = replyLimit
	}
	body, err := head(incoming, limit+1)
	switch {
	case err != nil && mayBeReply:
		// A reply may be lost, so the event must not count as delivered.
		return dispatch.Response{Err: fmt.Errorf("status %d, but its body is incomplete: %w", incoming.StatusCode, err)}
	case err != nil:
		response.Truncated = true
		body = body[:min(int64(len(body)), limit)]
	case int64(len(body)) > limit:
		response.Truncated = true
		body = body[:limit]
		drain(incoming.Body, giveUp)
	}
	response.Body = body
	return response
}

// isReply reports whether the body of an answer with this status may be a reply.
func isReply(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices && status != http.StatusAccepted
}

// head reads at most limit bytes of the body.
func head(incoming *http.Response, limit int64) ([]byte, error) {
	var buffer bytes.Buffer
	if expected := min(incoming.ContentLength, limit, preallocated); expected > 0 {
		buffer.Grow(int(expected) + bytes.MinRead)
	}
	_, err := buffer.ReadFrom(io.LimitReader(incoming.Body, limit))
	return buffer.Bytes(), err
}

// drain reads the rest of a body within bounds; the connection is kept only if that was all.
func drain(body io.Reader, giveUp func()) {
	timer := time.AfterFunc(drainTime, giveUp)
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, body, drainLimit)
}
