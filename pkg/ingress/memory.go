package ingress

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// DefaultMemory is the default of Config.Memory, in bytes.
	DefaultMemory int64 = 256 << 20

	// requestBytes is what a request holds besides its body: goroutine, timers, connection buffers,
	// headers, event and message. TestMemoryOfWaitingRequests measures it.
	requestBytes = 32 << 10
	// headerCopies is the bytes held per byte of a header value: as received, and encoded.
	headerCopies = 4
	// eventBytes is what each further event of a batch holds besides its data.
	eventBytes = 2 << 10
)

// memory bounds the bytes that requests hold together, not their number: when NATS is away for
// seconds, many small events may wait, or few large ones. Safe for concurrent use.
type memory struct {
	size int64
	free *semaphore.Weighted
	// wait bounds one wait for bytes that other requests hold.
	wait time.Duration
}

func newMemory(size int64, wait time.Duration) *memory {
	return &memory{size: size, free: semaphore.NewWeighted(size), wait: wait}
}

// holding is the part of the memory that one request holds. One goroutine uses it.
type holding struct {
	*memory
	bytes int64
}

// take adds bytes to what the request holds. Errors: ErrBusy when other requests hold too much
// during the whole wait, an *http.MaxBytesError when all of the memory is too little.
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

// bytesOf returns what a request holds before its body is read, including a body of known length.
func bytesOf(r *http.Request) int64 {
	bytes := requestBytes + max(r.ContentLength, 0)
	for _, values := range r.Header {
		for _, value := range values {
			bytes += headerCopies * int64(len(value))
		}
	}
	return bytes
}

func (h *holding) release() { h.free.Release(h.bytes) }
