package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// reportsStart is the first value in a reports bucket. A bucket without one is new or was emptied, as one in memory is when its
// servers restart.
type reportsStart struct {
	// Lost tells that processes may have reported before, and that what they reported is gone.
	Lost bool `json:"lost"`
}

// startReports notes that the bucket takes reports from now on, if it is not noted.
func (c *Client) startReports(ctx context.Context, start reportsStart) error {
	name := c.names.ReportsBucket()
	bucket, err := c.js.KeyValue(ctx, name)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", name, err)
	}
	_, err = bucket.Get(ctx, startKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return c.putStart(ctx, start, jetstream.WithExpectLastSequencePerSubject(0))
	}
	if err != nil {
		return fmt.Errorf("read bucket %s: %w", name, err)
	}
	return nil
}

// putStart writes the start: it stays, while all else in the bucket expires.
func (c *Client) putStart(ctx context.Context, start reportsStart, options ...jetstream.PublishOpt) error {
	data, err := json.Marshal(start)
	if err != nil {
		return err
	}
	msg := nats.NewMsg("$KV." + c.names.ReportsBucket() + "." + startKey)
	msg.Data = data
	msg.Header.Set(jetstream.MsgTTLHeader, "never")
	_, err = c.js.PublishMsg(ctx, msg, options...)
	var api *jetstream.APIError
	if errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant) {
		return nil // somebody else has just written it
	}
	if err != nil {
		return fmt.Errorf("write into bucket %s: %w", c.names.ReportsBucket(), err)
	}
	return nil
}

// FirstReports says that no process can have reported before the reports bucket was made: he knows who has just started the NATS
// server that it is in.
func (c *Client) FirstReports(ctx context.Context) error { return c.putStart(ctx, reportsStart{}) }
