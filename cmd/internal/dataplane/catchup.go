package dataplane

import (
	"context"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/consume"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// trustMargin is how much sooner than its report a filter's trust ends: clocks may differ.
const trustMargin = route.ReportInterval / 2

// catchUp is what a filter must have applied to trust that it knows every target (I3): the routes
// bucket made at the time bucket, up to end. The end was read after a report was stored: later
// records become ready only when this filter has applied them (I4). Only the reporter uses it.
type catchUp struct {
	end    uint64
	bucket time.Time
	// reported is when the last report was sent; in a gap targets become ready without this filter.
	reported time.Time
	// heard is opener.Heard at that time. It changes with each record, and in an outage of NATS.
	heard consume.Heard
}

// trustTargets is called after each report. If this filter has applied every target that is ready
// anywhere, it lets the opener read: while the report lives no other target becomes ready (I4).
func (f *Filter) trustTargets(ctx context.Context, reported time.Time) error {
	heard, until := f.opener.Heard(), reported.Add(route.ReportTTL-trustMargin)
	if !f.opener.Current() {
		caughtUp, err := f.caughtUp(ctx, reported, heard)
		if err != nil || !caughtUp {
			f.opener.Prolong(until)
			return err // it reports again once it has applied more
		}
	}
	f.catchUp = catchUp{}
	f.opener.TrustUntil(until, heard)
	return nil
}

func (f *Filter) caughtUp(ctx context.Context, reported time.Time, heard consume.Heard) (bool, error) {
	f.mu.Lock()
	applied := f.applied
	f.mu.Unlock()
	c := &f.catchUp
	broken := reported.Sub(c.reported) > route.ReportTTL-trustMargin || c.heard != heard
	c.reported = reported
	if broken || !c.bucket.Equal(applied.Bucket) {
		c.bucket, c.heard = time.Time{}, heard
		end, bucket, err := routes.End(ctx, f.client)
		if err != nil {
			return false, err
		}
		c.end, c.bucket = end, bucket
	}
	return c.bucket.Equal(applied.Bucket) && applied.Revision >= c.end, nil
}
