package owner

import "testing"

// BenchmarkMillionThroughSmallLog sends 1,000,000 events of 1 KiB, about 1.2 GB, through a log of 64 MiB.
//
//	go test -run '^$' -bench MillionThroughSmallLog -benchtime 1x -timeout 30m ./pkg/jetstream/
func BenchmarkMillionThroughSmallLog(b *testing.B) {
	f := flood{events: 1_000_000, bodySize: 1024, maxBytes: 64 << 20}
	for b.Loop() {
		result := f.run(b)
		result.check(b, f.maxBytes)
		b.ReportMetric(float64(f.events)/result.delivered.Seconds(), "events/s")
		b.ReportMetric(float64(result.maxSeen)/(1<<20), "MiB-in-log")
		b.ReportMetric(float64(result.refused), "refused-batches")
	}
}
