// Package latency counts durations in an HDR histogram and gives the percentiles that people ask for.
package latency

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The histogram tells durations from 1 us to 10 min apart to three digits.
const (
	unit    = time.Microsecond
	longest = 10 * time.Minute
	digits  = 3
)

// Histogram counts durations. Safe for concurrent use.
type Histogram struct {
	mu  sync.Mutex
	hdr *hdrhistogram.Histogram
}

// New returns an empty histogram.
func New() *Histogram {
	return &Histogram{hdr: hdrhistogram.New(1, int64(longest/unit), digits)}
}

// Record counts one duration; what is longer than the histogram reaches counts as the longest.
func (h *Histogram) Record(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.hdr.RecordValue(int64(min(max(d, unit), longest) / unit)) // it is in range
}

// Percentile returns the duration that this share of all durations, in percent, does not exceed; 0 when there are none.
func (h *Histogram) Percentile(percent float64) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Duration(h.hdr.ValueAtPercentile(percent)) * unit
}

// Summary are the percentiles of a histogram, in milliseconds. The zero Summary is that of none.
type Summary struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99.9"`
	P9999 float64 `json:"p99.99"`
	Max   float64 `json:"max"`
}

// Summary returns the percentiles of what was recorded so far.
func (h *Histogram) Summary() Summary {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := func(percent float64) float64 { return milliseconds(float64(h.hdr.ValueAtPercentile(percent))) }
	return Summary{
		Count: h.hdr.TotalCount(), Mean: milliseconds(h.hdr.Mean()), Max: milliseconds(float64(h.hdr.Max())),
		P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), P9999: at(99.99),
	}
}

// milliseconds of a number of units.
func milliseconds(units float64) float64 { return units * float64(unit) / float64(time.Millisecond) }

// At returns one of the percentiles that the summary has; any other is 0.
func (s Summary) At(percentile float64) float64 {
	switch percentile {
	case 50:
		return s.P50
	case 90:
		return s.P90
	case 99:
		return s.P99
	case 99.9:
		return s.P999
	case 99.99:
		return s.P9999
	default:
		return 0
	}
}
