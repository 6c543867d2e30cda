package reconcilertest

import (
	"slices"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
)

// InBucket has all processes of a view report on the routes bucket that was made at this time.
func InBucket(v readiness.View, made time.Time) readiness.View {
	v.Reports = slices.Clone(v.Reports)
	for i := range v.Reports {
		v.Reports[i].Bucket = made
	}
	return v
}
