package dataplane

import (
	"context"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/consume"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// trustMargin is how much sooner than its report a filter's trust in its targets ends: clocks need not run alike.
const trustMargin = route.ReportInterval / 2

// catchUp is what a filter must have applied before it may trust that it knows every target: the routes bucket, which was made at the
// time bucket, up to the revision end. It was read after a report of the filter was stored: what came later waits for this filter to
// report that it has applied it. Only the reporter's goroutine uses it.
type catchUp struct {
	end    uint64
	bucket time.Time
	// reported is when the last report was sent: without an unbroken row of reports, targets may have become ready of which nobody
	// waited for this filter to hear.
	reported time.Time
	// heard is what had been heard by then; it is another one after an outage, too.
	heard consume.Heard
}

// trustTargets is called after each report. It has the opener read: no target is ready anywhere that this filter has not applied.
// While its report lives, none becomes so without it.
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
