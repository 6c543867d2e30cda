package ingress

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// DefaultMemory is the bytes that requests may hold together where nobody says how many.
	DefaultMemory int64 = 256 << 20

	// requestBytes is what a request holds besides its body: its goroutine and timers, the connection's buffers, headers, the event and
	// the message that it becomes. TestMemoryOfWaitingRequests measures it.
	requestBytes = 32 << 10
	// headerCopies is how often a header's value is held: as it came, and encoded for NATS.
	headerCopies = 4
	// eventBytes is what each event of a batch but the first holds besides its data.
	eventBytes = 2 << 10
)

// memory bounds what requests hold together, in bytes. It counts bytes and not requests, as many small events have to wait at the same
// time when NATS is away for some seconds, and few large ones may. Safe for concurrent use.
type memory struct {
	size int64
	free *semaphore.Weighted
	// wait is how long a request may wait for bytes that others hold.
	wait time.Duration
}

func newMemory(size int64, wait time.Duration) *memory {
	return &memory{size: size, free: semaphore.NewWeighted(size), wait: wait}
}

// holding is what one request holds of the memory.
type holding struct {
	*memory
	bytes int64
}

// take adds to what the request holds. Errors: ErrBusy when others hold too much for as long as the request may wait, and an
// *http.MaxBytesError when it asks for more than there is in all.
func (h *holding) take(ctx context.Context, bytes int64) error {
	if h.bytes+bytes > h.size {
		return &http.MaxBytesError{Limit: h.size}
	}
	if !h.free.TryAcquire(bytes) {
		ctx, cancel := context.WithTimeout(ctx, h.wait)
		defer cancel()
		if h.free.Acquire(ctx, bytes) != nil {
			return ErrBusy
		}
	}
	h.bytes += bytes
	return nil
}

// bytesOf is what a request holds before its body is read, and for a body of known length.
func bytesOf(r *http.Request) int64 {
	bytes := requestBytes + max(r.ContentLength, 0)
	for _, values := range r.Header {
		for _, value := range values {
			bytes += headerCopies * int64(len(value))
		}
	}
	return bytes
}

// release gives everything back.
func (h *holding) release() { h.free.Release(h.bytes) }
