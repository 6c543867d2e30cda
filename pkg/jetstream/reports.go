package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What the reports bucket holds beside reports, whose keys are role and id of a process: since when it takes reports, and a key for
// each reader that has to know that it reads the latest.
const (
	startKey     = "start"
	readerPrefix = "reader."
)

// Reports reads what the live processes report. A bucket that is not there, until its owner makes it again, has lost all of it.
func (c *Client) Reports(ctx context.Context) (route.Reports, error) {
	name := c.names.ReportsBucket()
	stream, err := c.js.Stream(ctx, BucketStream(name))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return route.Reports{Lost: time.Now()}, nil
	}
	if err != nil {
		return route.Reports{}, fmt.Errorf("read bucket %s: %w", name, err)
	}
	var read reportsRead
	if err := c.ReadBucket(ctx, name, jetstream.AllKeys, read.entry); err != nil {
		return route.Reports{}, err
	}
	return read.reports(stream.CachedInfo().TimeStamp, c.timing.ReportTTL), nil
}

// LatestReports is Reports for those who decide by it that something is ready. A server may believe to lead the bucket although it is
// cut off from the others, and they have another leader. So this reader writes into the bucket first, which only the leader can
// confirm that most servers follow, and reads until that has come. The word of the processes holds only while they can write, too.
func (c *Client) LatestReports(ctx context.Context) (route.Reports, error) {
	name := c.names.ReportsBucket()
	bucket, err := c.js.KeyValue(ctx, name)
	if err != nil {
		return route.Reports{}, fmt.Errorf("open bucket %s: %w", name, err)
	}
	me := readerPrefix + c.id
	mine, err := bucket.Put(ctx, me, nil)
	if err != nil {
		return route.Reports{}, fmt.Errorf("write into bucket %s: %w", name, err)
	}
	var now time.Time
	var read reportsRead
	err = readPast(ctx, bucket, bucketRead{
		filter: jetstream.AllKeys,
		end:    func() (uint64, error) { return mine, nil },
		each: func(entry jetstream.KeyValueEntry) {
			if entry.Key() == me {
				now = entry.Created()
			}
			read.entry(entry)
		},
	})
	if err != nil {
		return route.Reports{}, err
	}
	return read.reports(now, c.timing.ReportTTL), nil
}

// reportsRead is what is read of the bucket.
type reportsRead struct {
	live    []route.Report
	started time.Time // zero when the start is not there
	start   reportsStart
}

// entry takes one value. A report that cannot be read, such as one of another version, is there too: its process has applied nothing
// that we know of.
func (r *reportsRead) entry(entry jetstream.KeyValueEntry) {
	switch {
	case entry.Key() == startKey:
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

// reports says what was read at this time, by the clock of NATS: whether each process that may live has had the time to report again.
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
