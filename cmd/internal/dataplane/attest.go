package dataplane

import (
	"context"
	"errors"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// attestLess is how much sooner than its report a filter's word ends that it knows every target: clocks need not run alike.
	attestLess = route.ReportInterval / 2
	// lostPatience is how long a filter waits for the lost record of a target. Its owner writes it again within seconds, if there is one.
	lostPatience = 5 * time.Minute
)

var errLostRoute = errors.New("the route of a target is lost")

// word is what a filter has to catch up with before it may say that it knows every target. Only the reporter's goroutine uses it.
type word struct {
	// end is where the routes bucket, which was made at the time bucket, ended after the first report, and sharing are the targets that
	// shared a consumer then. Those that came later wait for this filter to report that it has heard of them.
	end     uint64
	bucket  time.Time
	sharing []route.TargetKey
	// lost is since when the record of a target is missed.
	lost time.Time
}

// attest tells the opener that no target is ready of which this filter has not heard. While its report lives, none becomes so without it.
// After a time without a report, as at the start or after an outage, it has to catch up first with what was written meanwhile.
func (f *Filter) attest(ctx context.Context, reported time.Time) error {
	if !f.opener.Attested() {
		caughtUp, err := f.caughtUp(ctx)
		if err != nil || !caughtUp {
			return err
		}
	}
	f.word = word{}
	f.opener.Attest(reported.Add(route.ReportTTL - attestLess))
	return nil
}

func (f *Filter) caughtUp(ctx context.Context) (bool, error) {
	f.mu.Lock()
	applied := f.applied
	f.mu.Unlock()
	if f.word.bucket.IsZero() || !f.word.bucket.Equal(applied.Bucket) {
		if err := f.readEnd(ctx); err != nil {
			return false, err
		}
	}
	if !f.word.bucket.Equal(applied.Bucket) || applied.Revision < f.word.end {
		return false, nil // it reports again once it has applied that
	}
	return f.hasHeard(ctx, applied.Targets)
}

func (f *Filter) readEnd(ctx context.Context) (err error) {
	if f.word.end, f.word.bucket, err = f.client.RoutesEnd(ctx); err != nil {
		f.word.bucket = time.Time{}
	}
	return err
}

// hasHeard tells whether all that share are among the known targets, or have ended. The bucket may have been deleted, and be filled again
// at this moment.
func (f *Filter) hasHeard(ctx context.Context, known map[route.TargetKey]route.Target) (bool, error) {
	for _, key := range f.word.sharing {
		if _, heard := known[key]; heard {
			continue
		}
		live, recorded, err := f.client.IsLive(ctx, key)
		switch {
		case err != nil:
			return false, err
		case live:
			return false, nil // it comes, and then this filter reports again
		case !recorded:
			return f.misses(key)
		}
	}
	return true, nil
}

// misses waits for the lost record of a target, but not for ever.
func (f *Filter) misses(key route.TargetKey) (bool, error) {
	if f.word.lost.IsZero() {
		f.word.lost = time.Now()
		f.log.Warn("the route of a target is lost; no consumer that targets share is read until it is back", "target", key.String())
	}
	if time.Since(f.word.lost) < lostPatience {
		return false, errLostRoute
	}
	f.log.Error("the route of a target is lost and does not come back; what it would get is passed by", "target", key.String())
	return true, nil
}
