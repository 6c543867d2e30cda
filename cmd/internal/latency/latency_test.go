package latency_test

import (
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
)

func TestPercentilesAreThoseOfAllThatWasRecorded(t *testing.T) {
	h := latency.New()
	for n := range 10_000 { // 0.1 ms to 1 s
		h.Record(time.Duration(n+1) * 100 * time.Microsecond)
	}
	s := h.Summary()
	if s.Count != 10_000 {
		t.Errorf("count %d", s.Count)
	}
	for percentile, want := range map[float64]float64{50: 500, 90: 900, 99: 990, 99.9: 999, 99.99: 999.9} {
		if got := s.At(percentile); got < want*0.998 || got > want*1.002 {
			t.Errorf("p%v is %v ms, want %v ms to three digits", percentile, got, want)
		}
	}
}

func TestWhatIsOutOfRangeCountsAtTheEnds(t *testing.T) {
	h := latency.New()
	h.Record(-time.Second)
	h.Record(time.Hour)
	s := h.Summary()
	if s.Count != 2 || s.P50 > 0.01 || s.Max < 590_000 {
		t.Errorf("%+v", s)
	}
}

func TestNothingRecordedIsZero(t *testing.T) {
	if got := latency.New().Summary(); got != (latency.Summary{}) {
		t.Errorf("%+v", got)
	}
	if got := latency.New().Percentile(99); got != 0 {
		t.Errorf("p99 %s", got)
	}
}
