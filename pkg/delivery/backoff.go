package delivery

import (
	"net/http"
	"strconv"
	"time"
)

// Bounds of the delay between two requests to a dead letter sink that fails.
const (
	minSinkBackoff = time.Second
	maxSinkBackoff = 5 * time.Minute
)

// SinkBackoff returns the delay before a dead letter sink is tried again (for ever): 1 s, doubled
// up to 5 min. attempt counts the failed requests before the last one.
func SinkBackoff(attempt int) time.Duration {
	return doubled(minSinkBackoff, attempt, maxSinkBackoff)
}

// backoff returns the delay after the attempt, counted from 0: linear 0, d, 2d; exponential d, 2d,
// 4d; at most MaxBackoff. Without a policy or a delay it is 0. Source: knative.dev/eventing
// pkg/kncloudevents/retries.go (RetryConfigFromDeliverySpec, noRetries.Backoff).
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

// doubled returns the delay doubled so many times, at most limit. It cannot overflow.
func doubled(delay time.Duration, times int, limit time.Duration) time.Duration {
	for ; times > 0 && delay > 0 && delay < limit; times-- {
		delay *= 2
	}
	return min(delay, limit)
}

// retryAfter returns the delay that the subscriber asks for, at most RetryAfterMax; 0 without
// either. MaxBackoff does not bound it, and Decide takes the larger of this and backoff. Source:
// knative.dev/eventing pkg/kncloudevents/retries.go (generateBackoffFn).
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
