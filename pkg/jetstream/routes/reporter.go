package routes

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Reporter writes the report of one process: after a change, and every route.ReportInterval.
type Reporter struct {
	// Written, if not nil, is called when a report is stored, or failed and NobodyAsks, with the
	// time before its sending. If Written fails, a report follows soon. Set it before Run.
	Written func(ctx context.Context, sent time.Time) error

	client *jetstream.Client
	State  func() route.Report
	wake   chan struct{}

	// err is why the last report could not be written; nil if it was.
	err atomic.Pointer[error]
}

// NewReporter returns a reporter of what state returns. One goroutine at a time calls state.
func NewReporter(c *jetstream.Client, state func() route.Report) *Reporter {
	return &Reporter{client: c, State: state, wake: make(chan struct{}, 1)}
}

// Changed tells the reporter that the state may differ from what it wrote last. It never blocks.
func (r *Reporter) Changed() { loop.Notify(r.wake) }

// Run writes reports from the first Changed until ctx ends, and then withdraws the report.
func (r *Reporter) Run(ctx context.Context) {
	select {
	case <-r.wake:
	case <-ctx.Done():
		return
	}
	// A server that has restarted may have lost the report with its memory.
	reconnected := r.client.Conn().StatusChanged(nats.CONNECTED)
	defer r.client.Conn().RemoveStatusListener(reconnected)
	key, failure := "", loop.Failure{}
	for ctx.Err() == nil {
		report := r.State()
		key = string(report.Role) + "." + report.ID
		wait := route.ReportInterval
		sent := time.Now()
		err := r.Write(ctx, key, report)
		r.err.Store(new(err))
		if r.Written != nil && (err == nil || r.NobodyAsks(ctx, err)) {
			if failed := r.Written(ctx, sent); err == nil {
				err = failed
			}
		}
		if err != nil {
			wait = jetstream.RetryPause
		}
		if ctx.Err() == nil {
			r.say(err, &failure)
		}
		select {
		case <-time.After(wait):
		case <-r.wake:
		case <-reconnected:
		case <-ctx.Done():
		}
	}
	r.withdraw(key)
}

// Err returns why the last report could not be written; nil when it was, or when there was none.
func (r *Reporter) Err() error {
	if err := r.err.Load(); err != nil {
		return *err
	}
	return nil
}

// say logs once why reports fail, and when they succeed again. The client logs that NATS is away.
func (r *Reporter) say(err error, failure *loop.Failure) {
	if err != nil && !r.client.Connected() {
		return
	}
	isNew, isOver := failure.Changed(err)
	switch {
	case isOver:
		r.client.Logger().Info("the report is written again")
	case isNew && errors.Is(err, natsjs.ErrBucketNotFound):
		r.client.Logger().Warn("the report fails; nothing new becomes ready until an owner of routes makes the bucket for it", "error", err)
	case isNew:
		r.client.Logger().Warn("the report fails; nothing new becomes ready, and nothing is delivered once the last one has expired", "error", err)
	}
}

// NobodyAsks reports whether a report that could not be written is not needed either: for as long
// as it would have lived, no target becomes ready anywhere. That is so while there is no reports
// bucket, as after a restart of a single NATS server: whoever makes the bucket again notes that
// reports were lost, and nothing becomes ready for the lifetime of a report (I4).
//
// In a cluster it is never so: the bucket survives there, and this server may not have heard yet
// that somebody has made it. The routes bucket is read first, because a server that starts restores
// its streams in the order of their names: with the routes it has the reports too, if they exist.
func (r *Reporter) NobodyAsks(ctx context.Context, failed error) bool {
	if !errors.Is(failed, natsjs.ErrBucketNotFound) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, jetstream.RequestTimeout)
	defer cancel()
	routes, err := r.client.JetStream().Stream(ctx, jetstream.BucketStream(r.client.Names().RoutesBucket()))
	if err != nil {
		return false
	}
	if cluster := routes.CachedInfo().Cluster; cluster != nil && cluster.Name != "" {
		return false
	}
	_, err = r.client.JetStream().Stream(ctx, jetstream.BucketStream(r.client.Names().ReportsBucket()))
	return errors.Is(err, natsjs.ErrStreamNotFound)
}

// Write stores the report at the key, as Run does; tests of other packages call it.
func (r *Reporter) Write(ctx context.Context, key string, report route.Report) error {
	data, err := json.Marshal(report)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, jetstream.RequestTimeout)
	defer cancel()
	bucket, err := r.client.JetStream().KeyValue(ctx, r.client.Names().ReportsBucket())
	if err != nil {
		return err
	}
	_, err = bucket.Put(ctx, key, data)
	return err
}

// withdraw deletes the report, so that nobody waits for it to expire; not while NATS is away.
func (r *Reporter) withdraw(key string) {
	ctx, cancel := context.WithTimeout(context.Background(), jetstream.RetryPause)
	defer cancel()
	if key == "" || !r.client.Connected() {
		return
	}
	if bucket, err := r.client.JetStream().KeyValue(ctx, r.client.Names().ReportsBucket()); err == nil {
		_ = bucket.Delete(ctx, key)
	}
}
