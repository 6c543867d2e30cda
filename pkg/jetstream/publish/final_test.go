package publish

import (
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
)

func TestWhichErrorsEndAPublish(t *testing.T) {
	t.Parallel()
	api := func(status int, code natsjs.ErrorCode, text string) error {
		return fmt.Errorf("nats: %w", &natsjs.APIError{Code: status, ErrorCode: code, Description: text})
	}
	for _, c := range []struct {
		name   string
		err    error
		final  bool
		absent bool
	}{
		{name: "none"},
		{name: "a lost connection", err: nats.ErrDisconnected},
		{name: "no answer in time", err: errNoPubAck},
		{name: "another stream", err: fmt.Errorf("%w: OTHER", errOtherStream)},
		{name: "no stream", err: natsjs.ErrNoStreamResponse, absent: true},
		{name: "the deadline", err: context.DeadlineExceeded},
		{name: "a full log", err: api(503, 10077, "maximum bytes exceeded"), final: true},
		{name: "a disk error", err: api(503, 10077, "input/output error")},
		{name: "an account without room", err: api(400, 10002, "resource limits exceeded for account"), final: true},
		{name: "a server without room", err: api(500, 10047, "insufficient storage resources available"), final: true},
		{name: "no leader at present", err: api(503, 10008, "JetStream system temporarily unavailable")},
		{name: "headers too large", err: api(400, 10097, "header size exceeds maximum allowed of 64k"), final: true},
		{name: "the first copy is being stored", err: api(409, 10158, "duplicate message id is in process")},
		{name: "too large for the server", err: nats.ErrMaxPayload, final: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if IsFinal(c.err) != c.final || ExpectStream("LOG").isFinal(c.err) != (c.final || c.absent) {
				t.Errorf("%v: final %v, absent %v; want %v, %v", c.err, IsFinal(c.err), IsAbsent(c.err), c.final, c.absent)
			}
		})
	}
}
