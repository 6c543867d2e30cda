package send

import (
	"math"
	"math/bits"
	"time"
)

// Latencies are counted in buckets that grow with their value: subBuckets of them for each doubling, so a quantile is off
// by 3 % at most, and a run of any length takes the same memory.
const (
	subBucketBits = 5
	subBuckets    = 1 << subBucketBits
	bucketCount   = (64-subBucketBits)*subBuckets + subBuckets
)

// latencies is a histogram of durations. Not safe for concurrent use.
type latencies struct {
	buckets [bucketCount]uint64
	total   uint64
}

func (l *latencies) add(d time.Duration) {
	l.buckets[bucketOf(d)]++
	l.total++
}

func (l *latencies) merge(other *latencies) {
	for i, n := range other.buckets {
		l.buckets[i] += n
	}
	l.total += other.total
}

// quantile returns the duration that the given share of all durations does not exceed; 0 when there are none.
func (l *latencies) quantile(share float64) time.Duration {
	rank := uint64(math.Ceil(share * float64(l.total)))
	var seen uint64
	for i, n := range l.buckets {
		if seen += n; n > 0 && seen >= rank {
			return upperBound(i)
		}
	}
	return 0
}

func bucketOf(d time.Duration) int {
	value := uint64(max(d, 0))
	shift := max(bits.Len64(value)-subBucketBits-1, 0)
	return shift*subBuckets + int(value>>shift)
}

// upperBound is the longest duration that bucketOf puts into the bucket.
func upperBound(bucket int) time.Duration {
	shift := max(bucket/subBuckets-1, 0)
	first := uint64(bucket - shift*subBuckets)
	return time.Duration((first+1)<<shift - 1)
}
