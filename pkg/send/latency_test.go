package send

import (
	"math"
	"testing"
	"time"
)

func TestQuantiles(t *testing.T) {
	var l latencies
	if got := l.quantile(0.99); got != 0 {
		t.Errorf("p99 of nothing = %v, want 0", got)
	}
	half := &latencies{}
	for i := 1; i <= 1000; i++ {
		to := &l
		if i%2 == 0 {
			to = half
		}
		to.add(time.Duration(i) * time.Millisecond)
	}
	l.merge(half)
	for _, test := range []struct {
		share float64
		want  time.Duration
	}{{0.001, time.Millisecond}, {0.5, 500 * time.Millisecond}, {0.99, 990 * time.Millisecond}, {1, time.Second}} {
		got := l.quantile(test.share)
		if off := math.Abs(float64(got-test.want)) / float64(test.want); off > 0.0325 {
			t.Errorf("quantile %v = %v, want %v to within 3 %%", test.share, got, test.want)
		}
	}
}

// Every duration has its bucket, and buckets neither overlap nor leave a gap.
func TestBuckets(t *testing.T) {
	for bucket := range bucketCount {
		if bucket > 0 && upperBound(bucket) < 0 {
			break // beyond what a Duration can hold
		}
		last := upperBound(bucket)
		if got := bucketOf(last); got != bucket {
			t.Fatalf("bucketOf(%d) = %d, want %d", last, got, bucket)
		}
		if last < math.MaxInt64 {
			if got := bucketOf(last + 1); got != bucket+1 {
				t.Fatalf("bucketOf(%d) = %d, want %d", last+1, got, bucket+1)
			}
		}
	}
	if got := bucketOf(-time.Second); got != 0 {
		t.Errorf("a negative duration is in bucket %d, want 0", got)
	}
	if got := bucketOf(math.MaxInt64); got >= bucketCount {
		t.Errorf("the longest duration is in bucket %d of %d", got, bucketCount)
	}
}
