package load

import (
	"context"
	"sync"
)

// Window bounds the deliveries under way, so that a closed loop goes over the whole path from the sender to the subscribers, and
// not only to the ingress. Safe for concurrent use.
type Window struct {
	mu    sync.Mutex
	room  sync.Cond
	size  int
	under int
}

// NewWindow returns a window for so many deliveries; 0 bounds nothing.
func NewWindow(size int) *Window {
	w := &Window{size: size}
	w.room.L = &w.mu
	return w
}

// Enter takes n places as soon as there is any, and reports whether it did so before ctx ended.
func (w *Window) Enter(ctx context.Context, n int) bool {
	if w.size == 0 {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.under >= w.size {
		stop := context.AfterFunc(ctx, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.room.Broadcast()
		})
		defer stop()
	}
	for w.under >= w.size {
		if ctx.Err() != nil {
			return false
		}
		w.room.Wait()
	}
	w.under += n
	return true
}

// Leave gives n places back.
func (w *Window) Leave(n int) {
	if w.size == 0 || n == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.under = max(w.under-n, 0)
	if w.under < w.size {
		w.room.Signal()
	}
}
