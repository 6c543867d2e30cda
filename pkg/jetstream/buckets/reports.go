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

// startReports notes that the bucket takes reports from now on, if it is not noted.
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

// putStart writes the start: it stays, while all else in the bucket expires.
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

// FirstReports says that no process can have reported before the reports bucket was made: he knows who has just started the NATS
// server that it is in.
func FirstReports(ctx context.Context, c *jetstream.Client) error {
	return putStart(ctx, c, ReportsStart{})
}
