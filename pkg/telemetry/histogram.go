package telemetry

import (
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// Histogram makes the histogram of this name, in seconds with the bounds of LatencyBuckets. A nil provider is OpenTelemetry's global
// one; scope is the package that measures. With the error comes a histogram that records nothing.
func Histogram(provider metric.MeterProvider, scope, name, description string) (metric.Float64Histogram, error) {
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	h, err := provider.Meter(scope).Float64Histogram(name,
		metric.WithDescription(description),
		metric.WithUnit(UnitSeconds),
		metric.WithExplicitBucketBoundaries(LatencyBuckets()...))
	if err != nil {
		return h, fmt.Errorf("metric %s: %w", name, err)
	}
	return h, nil
}
