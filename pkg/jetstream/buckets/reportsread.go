package buckets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Keys of the reports bucket beside those of reports, which are role and id of a process: the
// start, and a key for each process that has called LatestReports.
const (
	StartKey     = "start"
	readerPrefix = "reader."
)

// Reports reads the reports of the live processes. Without a bucket all of them are lost.
func Reports(ctx context.Context, c *jetstream.Client) (route.Reports, error) {
	name := c.Names().ReportsBucket()
	stream, err := c.JetStream().Stream(ctx, jetstream.BucketStream(name))
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		return route.Reports{Lost: time.Now()}, nil
	}
	if err != nil {
		return route.Reports{}, fmt.Errorf("read bucket %s: %w", name, err)
	}
	var read reportsRead
	if err := c.ReadBucket(ctx, name, jetstream.BucketRead{Filter: natsjs.AllKeys, Each: read.entry}); err != nil {
		return route.Reports{}, err
	}
	return read.reports(stream.CachedInfo().TimeStamp, c.Timing().ReportTTL), nil
}

// LatestReports is Reports for deciding that something is ready (I11). A server that is cut off may
// still believe that it leads the bucket. So LatestReports first writes into the bucket, which only
// a leader that most servers follow confirms, and reads until that value comes.
func LatestReports(ctx context.Context, c *jetstream.Client) (route.Reports, error) {
	name := c.Names().ReportsBucket()
	bucket, err := c.JetStream().KeyValue(ctx, name)
	if err != nil {
		return route.Reports{}, fmt.Errorf("open bucket %s: %w", name, err)
	}
	me := readerPrefix + c.ID()
	mine, err := bucket.Put(ctx, me, nil)
	if err != nil {
		return route.Reports{}, fmt.Errorf("write into bucket %s: %w", name, err)
	}
	var now time.Time
	var read reportsRead
	err = c.ReadBucket(ctx, name, jetstream.BucketRead{
		Filter: natsjs.AllKeys,
		Past:   mine,
		Each: func(entry natsjs.KeyValueEntry) {
			if entry.Key() == me {
				now = entry.Created()
			}
			read.entry(entry)
		},
	})
	if err != nil {
		return route.Reports{}, err
	}
	return read.reports(now, c.Timing().ReportTTL), nil
}

// ReportsStart is the first value in a reports bucket. A bucket without one is new or was emptied,
// as one in memory is when its servers restart.
type ReportsStart struct {
	// Lost is set if processes may have written reports before, which are gone.
	Lost bool `json:"lost"`
}

// reportsRead is what was read of the bucket.
type reportsRead struct {
	live    []route.Report
	started time.Time // zero when the start is not there
	start   ReportsStart
}

// entry takes one value. A report that cannot be decoded, such as one of another version, is kept:
// its process lives, and has applied nothing that we know of.
func (r *reportsRead) entry(entry natsjs.KeyValueEntry) {
	switch {
	case entry.Key() == StartKey:
		r.started = entry.Created()
		if json.Unmarshal(entry.Value(), &r.start) != nil {
			r.start.Lost = true
		}
	case !strings.HasPrefix(entry.Key(), readerPrefix):
		var report route.Report
		if err := json.Unmarshal(entry.Value(), &report); err != nil {
			role, id, _ := strings.Cut(entry.Key(), ".")
			report = route.Report{Role: route.Role(role), ID: id}
		}
		r.live = append(r.live, report)
	}
}

// reports returns the reports as of now, by the clock of NATS. They are lost while a process may
// live that wrote into the bucket before and has not had the time to report again.
func (r *reportsRead) reports(now time.Time, ttl time.Duration) route.Reports {
	all := route.Reports{Live: r.live}
	switch {
	case r.started.IsZero():
		all.Lost = now
	case r.start.Lost && now.Sub(r.started) < ttl:
		all.Lost = r.started
	}
	return all
}
