package delivery

import (
	"net/http"
	"strconv"
	"time"
)

// Bounds of the delay between two requests to a dead letter sink that refuses.
const (
	minSinkBackoff = time.Second
	maxSinkBackoff = 5 * time.Minute
)

// SinkBackoff is how long to wait before a dead letter sink is tried again, attempt counting the failed requests to it
// before the last one (0: the first failed): 1 s, doubling up to 5 min. The sink has no delivery spec: it is tried for ever.
func SinkBackoff(attempt int) time.Duration {
	return doubled(minSinkBackoff, attempt, maxSinkBackoff)
}

// backoff is the delay after the attempt, counted from 0: linear 0, d, 2d; exponential d, 2d, 4d; never over MaxBackoff.
// It takes both a policy and a delay: with only one of them, as with neither, upstream tries again at once, and so do we.
// Source: knative.dev/eventing pkg/kncloudevents/retries.go (RetryConfigFromDeliverySpec, noRetries.Backoff).
func (p Policy) backoff(attempt int) time.Duration {
	attempt, delay := max(attempt, 0), min(max(p.Delay, 0), MaxBackoff)
	switch p.Backoff {
	case LinearBackoff:
		if attempt > 0 && delay > MaxBackoff/time.Duration(attempt) {
			return MaxBackoff
		}
		return delay * time.Duration(attempt)
	case ExponentialBackoff:
		return doubled(delay, attempt, MaxBackoff)
	default:
		return 0
	}
}

// doubled returns the delay doubled so many times, at most limit. The limit ends the loop before an overflow can.
func doubled(delay time.Duration, times int, limit time.Duration) time.Duration {
	for ; times > 0 && delay > 0 && delay < limit; times-- {
		delay *= 2
	}
	return min(delay, limit)
}

// retryAfter is how long the subscriber asks to be left alone, at most RetryAfterMax; 0 when it doesn't, or when the delivery spec
// does not allow it. Decide waits for the larger of this and the back-off; MaxBackoff does not bound it, the user's own
// RetryAfterMax does. Source: knative.dev/eventing pkg/kncloudevents/retries.go (generateBackoffFn).
func (p Policy) retryAfter(r Result) time.Duration {
	if p.RetryAfterMax == nil || *p.RetryAfterMax <= 0 {
		return 0
	}
	if r.StatusCode != http.StatusTooManyRequests && r.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	limit := *p.RetryAfterMax
	if seconds, err := strconv.ParseInt(r.RetryAfter, 10, 64); err == nil {
		if seconds > int64(limit/time.Second) {
			return limit
		}
		return time.Duration(max(seconds, 0)) * time.Second
	}
	if date, err := http.ParseTime(r.RetryAfter); err == nil {
		return min(max(date.Sub(r.Now), 0), limit)
	}
	return 0
}
