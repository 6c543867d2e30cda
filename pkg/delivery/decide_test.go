package delivery_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
)

var errRefused = errors.New("connection refused")

func status(code int) delivery.Result { return delivery.Result{StatusCode: code} }

func now() time.Time { return time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC) }

func retryAfter(code int, header string) delivery.Result {
	return delivery.Result{StatusCode: code, RetryAfter: header, Now: now()}
}

// TestDeliverySpec has each field of the delivery spec, set and not set.
func TestDeliverySpec(t *testing.T) {
	const (
		linear, exponential = delivery.LinearBackoff, delivery.ExponentialBackoff
		ms                  = time.Millisecond
	)
	var (
		nothing    = delivery.Policy{}
		retries    = delivery.Policy{Retry: 3}
		polite     = delivery.Policy{Retry: 3, RetryAfterMax: new(time.Minute)}
		politeSlow = delivery.Policy{Retry: 3, RetryAfterMax: new(time.Minute), Backoff: exponential, Delay: 20 * time.Second}
		patient    = delivery.Policy{Retry: 3, RetryAfterMax: new(3 * time.Hour)}
		forEver    = delivery.Policy{Retry: 2_000_000, Backoff: exponential, Delay: 200 * ms}
		linearEver = delivery.Policy{Retry: 2_000_000, Backoff: linear, Delay: 200 * ms}
	)
	for _, row := range []struct {
		name    string
		policy  delivery.Policy
		attempt int
		result  delivery.Result
		want    delivery.Action
		after   time.Duration
	}{
		// Statuses.
		{"100 is dead-lettered", retries, 0, status(100), delivery.DeadLetter, 0},
		{"200 is delivered", retries, 0, status(200), delivery.Delivered, 0},
		{"202 is delivered", retries, 0, status(202), delivery.Delivered, 0},
		{"299 is delivered", retries, 0, status(299), delivery.Delivered, 0},
		{"a late 200 is delivered", retries, 3, status(200), delivery.Delivered, 0},
		{"302 is dead-lettered", retries, 0, status(302), delivery.DeadLetter, 0},
		{"400 is dead-lettered", retries, 0, status(400), delivery.DeadLetter, 0},
		{"401 is dead-lettered", retries, 0, status(401), delivery.DeadLetter, 0},
		{"403 is dead-lettered", retries, 0, status(403), delivery.DeadLetter, 0},
		{"404 is retried", retries, 0, status(404), delivery.Retry, 0},
		{"405 is dead-lettered", retries, 0, status(405), delivery.DeadLetter, 0},
		{"408 is retried", retries, 0, status(408), delivery.Retry, 0},
		{"409 is retried", retries, 0, status(409), delivery.Retry, 0},
		{"413 is dead-lettered", retries, 0, status(413), delivery.DeadLetter, 0},
		{"422 is dead-lettered", retries, 0, status(422), delivery.DeadLetter, 0},
		{"429 is retried", retries, 0, status(429), delivery.Retry, 0},
		{"500 is retried", retries, 0, status(500), delivery.Retry, 0},
		{"501 is retried", retries, 0, status(501), delivery.Retry, 0},
		{"503 is retried", retries, 0, status(503), delivery.Retry, 0},
		{"599 is retried", retries, 0, status(599), delivery.Retry, 0},
		{"no response is retried", retries, 0, delivery.Result{}, delivery.Retry, 0},
		{"an error is retried", retries, 0, delivery.Result{Err: errRefused}, delivery.Retry, 0},
		{"a malformed reply is retried", retries, 0, delivery.Result{StatusCode: 200, Err: errRefused}, delivery.Retry, 0},
		{"a permanent error is dead-lettered", retries, 0,
			delivery.Result{StatusCode: 200, Err: fmt.Errorf("hops: %w", delivery.ErrPermanent)}, delivery.DeadLetter, 0},

		// retry.
		{"no retry: first failure", nothing, 0, status(500), delivery.DeadLetter, 0},
		{"no retry: error", nothing, 0, delivery.Result{Err: errRefused}, delivery.DeadLetter, 0},
		{"no retry: delivered", nothing, 0, status(200), delivery.Delivered, 0},
		{"no retry, but back-off", delivery.Policy{Backoff: linear, Delay: ms}, 0, status(500), delivery.DeadLetter, 0},
		{"negative retry", delivery.Policy{Retry: -1}, 0, status(500), delivery.DeadLetter, 0},
		{"retry 3: third failure", retries, 2, status(500), delivery.Retry, 0},
		{"retry 3: fourth failure", retries, 3, status(500), delivery.DeadLetter, 0},
		{"retry was lowered in between", retries, 9, status(500), delivery.DeadLetter, 0},

		// backoffPolicy and backoffDelay: a delay needs both.
		{"policy only", delivery.Policy{Retry: 3, Backoff: exponential}, 2, status(500), delivery.Retry, 0},
		{"delay only", delivery.Policy{Retry: 3, Delay: time.Second}, 2, status(500), delivery.Retry, 0},
		{"linear 0", linearEver, 0, status(500), delivery.Retry, 0},
		{"linear 1", linearEver, 1, status(500), delivery.Retry, 200 * ms},
		{"linear 2", linearEver, 2, status(500), delivery.Retry, 400 * ms},
		{"linear is capped", linearEver, 18_001, status(500), delivery.Retry, delivery.MaxBackoff},
		{"linear does not overflow", linearEver, 1_000_000, status(500), delivery.Retry, delivery.MaxBackoff},
		{"exponential 0", forEver, 0, status(500), delivery.Retry, 200 * ms},
		{"exponential 1", forEver, 1, status(500), delivery.Retry, 400 * ms},
		{"exponential 2", forEver, 2, status(500), delivery.Retry, 800 * ms},
		{"exponential is capped", forEver, 15, status(500), delivery.Retry, delivery.MaxBackoff},
		{"exponential does not overflow", forEver, 1_000_000, status(500), delivery.Retry, delivery.MaxBackoff},
		{"a delay over the cap", delivery.Policy{Retry: 1, Backoff: exponential, Delay: 48 * time.Hour}, 0, status(500),
			delivery.Retry, delivery.MaxBackoff},
		{"a negative delay is none", delivery.Policy{Retry: 1, Backoff: exponential, Delay: -time.Hour}, 0, status(500), delivery.Retry, 0},
		{"back-off follows errors too", forEver, 0, delivery.Result{Err: errRefused}, delivery.Retry, 200 * ms},

		// retryAfterMax.
		{"Retry-After without retryAfterMax", retries, 0, retryAfter(503, "7"), delivery.Retry, 0},
		{"Retry-After with retryAfterMax 0", delivery.Policy{Retry: 3, RetryAfterMax: new(time.Duration)}, 0, retryAfter(503, "7"),
			delivery.Retry, 0},
		{"503 in seconds", polite, 0, retryAfter(503, "7"), delivery.Retry, 7 * time.Second},
		{"429 in seconds", polite, 0, retryAfter(429, "7"), delivery.Retry, 7 * time.Second},
		{"503 with a date", polite, 0, retryAfter(503, now().Add(9*time.Second).Format(http.TimeFormat)), delivery.Retry, 9 * time.Second},
		{"a date in the past", polite, 0, retryAfter(503, now().Add(-time.Hour).Format(http.TimeFormat)), delivery.Retry, 0},
		{"a date beyond the maximum", polite, 0, retryAfter(503, now().Add(time.Hour).Format(http.TimeFormat)), delivery.Retry, time.Minute},
		{"the maximum", polite, 0, retryAfter(503, "60"), delivery.Retry, time.Minute},
		{"seconds beyond the maximum", polite, 0, retryAfter(503, "61"), delivery.Retry, time.Minute},
		{"seconds beyond a Duration", polite, 0, retryAfter(503, "9223372036854775807"), delivery.Retry, time.Minute},
		{"negative seconds", polite, 0, retryAfter(503, "-7"), delivery.Retry, 0},
		{"nonsense", polite, 0, retryAfter(503, "soon"), delivery.Retry, 0},
		{"no header", polite, 0, retryAfter(503, ""), delivery.Retry, 0},
		{"500 may not ask", polite, 0, retryAfter(500, "7"), delivery.Retry, 0},
		{"404 may not ask", polite, 0, retryAfter(404, "7"), delivery.Retry, 0},
		{"the back-off is longer", politeSlow, 0, retryAfter(503, "7"), delivery.Retry, 20 * time.Second},
		{"Retry-After is longer", politeSlow, 0, retryAfter(503, "30"), delivery.Retry, 30 * time.Second},
		{"retryAfterMax may exceed the back-off's cap", patient, 0, retryAfter(503, "7200"), delivery.Retry, 2 * time.Hour},
		{"Retry-After gives no extra attempt", polite, 3, retryAfter(503, "7"), delivery.DeadLetter, 0},

		// timeout and format do not change what a response means.
		{"timeout only", delivery.Policy{Timeout: time.Second}, 0, status(500), delivery.DeadLetter, 0},
		{"format only", delivery.Policy{Format: delivery.JSONFormat}, 0, status(500), delivery.DeadLetter, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := row.policy.Decide(row.attempt, row.result)
			if got.Action != row.want || got.After != row.after {
				t.Errorf("Decide(%d) = %v after %v, want %v after %v", row.attempt, got.Action, got.After, row.want, row.after)
			}
			if (got.Reason == "") != (row.want == delivery.Delivered) {
				t.Errorf("reason %q of action %v", got.Reason, got.Action)
			}
		})
	}
}

func TestRequestTimeout(t *testing.T) {
	for _, row := range []struct {
		name          string
		timeout, want time.Duration
	}{
		{name: "absent", want: 15 * time.Minute},
		{name: "set", timeout: 3 * time.Second, want: 3 * time.Second},
		{name: "longer than the default", timeout: time.Hour, want: time.Hour},
		{name: "negative", timeout: -time.Second, want: 15 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := (delivery.Policy{Timeout: row.timeout}).RequestTimeout(); got != row.want {
				t.Errorf("RequestTimeout() = %v, want %v", got, row.want)
			}
		})
	}
}

func TestSinkBackoff(t *testing.T) {
	for attempt, want := range map[int]time.Duration{
		-1: time.Second, 0: time.Second, 1: 2 * time.Second, 2: 4 * time.Second, 8: 256 * time.Second,
		9: 5 * time.Minute, 10: 5 * time.Minute, 1_000_000: 5 * time.Minute,
	} {
		if got := delivery.SinkBackoff(attempt); got != want {
			t.Errorf("SinkBackoff(%d) = %v, want %v", attempt, got, want)
		}
	}
}

func TestReasonTellsWhy(t *testing.T) {
	policy := delivery.Policy{Retry: 2}
	for _, row := range []struct {
		name    string
		policy  delivery.Policy
		attempt int
		result  delivery.Result
		want    string
	}{
		{"not retried", policy, 0, status(400), "status 400 (Bad Request) is not retried"},
		{"unknown status", policy, 0, status(499), "status 499 is not retried"},
		{"retried", policy, 0, status(503), "status 503 (Service Unavailable)"},
		{"used up", policy, 2, status(503), "status 503 (Service Unavailable); retries used up (2)"},
		{"none allowed", delivery.Policy{}, 0, status(503), "status 503 (Service Unavailable); the delivery spec has no retries"},
		{"error", policy, 0, delivery.Result{Err: errRefused}, "connection refused"},
		{"no response", policy, 0, delivery.Result{}, "no response"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.policy.Decide(row.attempt, row.result).Reason; got != row.want {
				t.Errorf("reason %q, want %q", got, row.want)
			}
		})
	}
}

func FuzzDecideIsBounded(f *testing.F) {
	f.Add(10, "exponential", int64(200*time.Millisecond), int64(0), 0, 503, "120")
	f.Add(3, "linear", int64(-1), int64(time.Minute), 1_000_000, 429, "Sat, 01 Aug 2026 12:00:09 GMT")
	f.Add(1<<31, "", int64(1<<62), int64(-5), -7, 404, "99999999999999999999")
	f.Fuzz(func(t *testing.T, retry int, backoff string, delay, maxAfter int64, attempt, code int, header string) {
		limit := time.Duration(maxAfter)
		p := delivery.Policy{Retry: retry, Backoff: delivery.Backoff(backoff), Delay: time.Duration(delay), RetryAfterMax: &limit}
		got := p.Decide(attempt, retryAfter(code, header))
		if bound := max(delivery.MaxBackoff, limit); got.After < 0 || got.After > bound {
			t.Errorf("delay %v is outside 0..%v", got.After, bound)
		}
		if got.Action == delivery.Retry && attempt >= retry {
			t.Errorf("attempt %d is retried although retry is %d", attempt, retry)
		}
		if got.Action < delivery.Delivered || got.Action > delivery.DeadLetter {
			t.Errorf("no action: %v", got.Action)
		}
	})
}
