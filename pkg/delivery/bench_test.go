package delivery_test

import (
	"errors"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
)

func BenchmarkDecide(b *testing.B) {
	longest := time.Minute
	policy := delivery.Policy{
		Retry: 10, Backoff: delivery.ExponentialBackoff, Delay: 200 * time.Millisecond, RetryAfterMax: &longest,
	}
	now := time.Now()
	for _, bench := range []struct {
		name   string
		result delivery.Result
		want   delivery.Action
	}{
		{"delivered", delivery.Result{StatusCode: 202, Now: now}, delivery.Delivered},
		{"retry", delivery.Result{StatusCode: 503, Now: now}, delivery.Retry},
		{"retry after", delivery.Result{StatusCode: 429, RetryAfter: "5", Now: now}, delivery.Retry},
		{"no answer", delivery.Result{Err: errors.New("connection refused"), Now: now}, delivery.Retry},
		{"dead letter", delivery.Result{StatusCode: 400, Now: now}, delivery.DeadLetter},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := policy.Decide(2, bench.result).Action; got != bench.want {
					b.Fatal(got)
				}
			}
		})
	}
}
