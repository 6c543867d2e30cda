package jetstream

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Reporter writes one process's report: when it changes, and every route.ReportInterval so that it does not expire.
type Reporter struct {
	// Written, if not nil, is called after each report with the time before it was sent; after an error the report is repeated soon. Set
	// it before Run.
	Written func(ctx context.Context, sent time.Time) error

	client *Client
	state  func() route.Report
	wake   chan struct{}
}

// NewReporter returns a reporter of what state returns. state is called by one goroutine at a time.
func (c *Client) NewReporter(state func() route.Report) *Reporter {
	return &Reporter{client: c, state: state, wake: make(chan struct{}, 1)}
}

// Changed tells the reporter that the state may differ from what it wrote last. It never blocks.
func (r *Reporter) Changed() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run reports from the first Changed until ctx ends, and then withdraws the report.
func (r *Reporter) Run(ctx context.Context) {
	select {
	case <-r.wake:
	case <-ctx.Done():
		return
	}
	key := ""
	for ctx.Err() == nil {
		report := r.state()
		key = string(report.Role) + "." + report.ID
		wait := route.ReportInterval
		sent := time.Now()
		err := r.write(ctx, key, report)
		if err == nil && r.Written != nil {
			err = r.Written(ctx, sent)
		}
		if err != nil {
			wait = retryPause
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-r.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	r.withdraw(key)
}

func (r *Reporter) write(ctx context.Context, key string, report route.Report) error {
	data, err := json.Marshal(report)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	bucket, err := r.client.js.KeyValue(ctx, r.client.names.ReportsBucket())
	if err != nil {
		return err
	}
	_, err = bucket.Put(ctx, key, data)
	return err
}

// withdraw spares the others the wait until the report expires; when NATS is away it expires all the same.
func (r *Reporter) withdraw(key string) {
	ctx, cancel := context.WithTimeout(context.Background(), retryPause)
	defer cancel()
	if key == "" || !r.client.Connected() {
		return
	}
	if bucket, err := r.client.js.KeyValue(ctx, r.client.names.ReportsBucket()); err == nil {
		_ = bucket.Delete(ctx, key)
	}
}

// Reports reads what the live processes report. One whose report cannot be read, such as one of another version, is there too: it
// has applied nothing that we know of.
func (c *Client) Reports(ctx context.Context) ([]route.Report, error) {
	var reports []route.Report
	err := c.readBucket(ctx, c.names.ReportsBucket(), jetstream.AllKeys, func(entry jetstream.KeyValueEntry) {
		var report route.Report
		if err := json.Unmarshal(entry.Value(), &report); err != nil {
			role, id, _ := strings.Cut(entry.Key(), ".")
			report = route.Report{Role: route.Role(role), ID: id}
		}
		reports = append(reports, report)
	})
	if err != nil {
		return nil, err
	}
	return reports, nil
}
