package buckets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// startReports writes the start of the reports bucket, unless it has one.
func startReports(ctx context.Context, c *jetstream.Client, start ReportsStart) error {
	name := c.Names().ReportsBucket()
	bucket, err := c.JetStream().KeyValue(ctx, name)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", name, err)
	}
	_, err = bucket.Get(ctx, StartKey)
	if errors.Is(err, natsjs.ErrKeyNotFound) {
		return putStart(ctx, c, start, natsjs.WithExpectLastSequencePerSubject(0))
	}
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", name, err)
	}
	return nil
}

// putStart writes the start, which does not expire as the other values of the bucket do.
func putStart(ctx context.Context, c *jetstream.Client, start ReportsStart, options ...natsjs.PublishOpt) error {
	data, err := json.Marshal(start)
	if err != nil {
		return err
	}
	msg := nats.NewMsg("$KV." + c.Names().ReportsBucket() + "." + StartKey)
	msg.Data = data
	msg.Header.Set(natsjs.MsgTTLHeader, "never")
	_, err = c.JetStream().PublishMsg(ctx, msg, options...)
	var api *natsjs.APIError
	if errors.As(err, &api) && (api.ErrorCode == natsjs.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == natsjs.JSErrCodeStreamWrongLastSequenceConstant) {
		return nil // somebody else has just written it
	}
	if err != nil {
		return fmt.Errorf("write into bucket %s: %w", c.Names().ReportsBucket(), err)
	}
	return nil
}

// FirstReports notes that no report was lost before: the caller has started this NATS server.
func FirstReports(ctx context.Context, c *jetstream.Client) error {
	return putStart(ctx, c, ReportsStart{})
}
