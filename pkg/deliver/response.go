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
	// failureLimit bounds the body of an answer that cannot be a reply; dead letters carry less than this.
	failureLimit = 4 << 10
	// drainLimit and drainTime bound what is read, and thrown away, after a truncated body, so that the
	// connection can be used again. It is cheaper to open a new one than to read more.
	drainLimit = 64 << 10
	drainTime  = 250 * time.Millisecond
	// preallocated bounds the memory that a Content-Length alone can make us take.
	preallocated = 64 << 10
)

// receive reads the answer. giveUp cancels the request, which ends a read that hangs; the caller closes the body.
func receive(incoming *http.Response, replyLimit int64, giveUp func()) dispatch.Response {
	response := dispatch.Response{StatusCode: incoming.StatusCode, Header: incoming.Header}
	if incoming.StatusCode < http.StatusOK {
		return response // 101: what follows is no HTTP body, and need not end
	}
	limit, mayBeReply := int64(failureLimit), isReply(incoming.StatusCode)
	if mayBeReply {
		limit = replyLimit
	}
	body, err := head(incoming, limit+1)
	switch {
	case err != nil && mayBeReply:
		// Whether there was a reply is unknown, so this delivery must not count as done.
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

// drain reads a little of what is left. The transport keeps the connection if that was all, and else closes it.
func drain(body io.Reader, giveUp func()) {
	timer := time.AfterFunc(drainTime, giveUp)
	defer timer.Stop()
	_, _ = io.CopyN(io.Discard, body, drainLimit)
}
