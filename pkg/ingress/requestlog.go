package ingress

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// warnEvery is the least time between two warnings: in an outage every request fails.
const warnEvery = time.Second

// requestLog logs refused requests. Safe for concurrent use.
type requestLog struct {
	logger *slog.Logger
	// lastWarning is in Unix nanoseconds; suppressed counts the warnings left out since then.
	lastWarning, suppressed atomic.Int64
}

// refused logs one refusal: at level debug when the request is at fault, else at level warn.
func (l *requestLog) refused(r *http.Request, status int, err error) {
	if status < http.StatusInternalServerError {
		l.logger.DebugContext(r.Context(), "request refused", "path", r.URL.Path, "status", status, "error", err)
		return
	}
	now, last := time.Now().UnixNano(), l.lastWarning.Load()
	if now-last < int64(warnEvery) || !l.lastWarning.CompareAndSwap(last, now) {
		l.suppressed.Add(1)
		return
	}
	l.logger.WarnContext(r.Context(), "event not stored", "path", r.URL.Path, "status", status, "error", err,
		"suppressed", l.suppressed.Swap(0))
}
