package owner

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// rescueMost bounds the parked events that a sweep looks at, in all directed streams together: each costs a request. The next sweep goes
// on where this one stopped.
const rescueMost = 1024

// rescueOverdue wakes parked events of the address whose time has come and gone. The server forgets one when it cannot store what a
// schedule fires, because its disk or account is full just then: the schedule stays marked as being fired until it is
// stored anew (nats-server server/scheduler.go, 2.15). left is how many more the sweep may look at.
func (o *Owner) rescueOverdue(ctx context.Context, key route.Key, left *int) error {
	if *left <= 0 {
		return nil
	}
	name := o.client.Names().DirectedStream(key)
	stream, err := o.client.JetStream().Stream(ctx, name)
	if err != nil {
		return jetstream.IgnoreMissing(err)
	}
	o.mu.Lock()
	from := o.rescued[key]
	o.mu.Unlock()
	from, err = o.rescueIn(ctx, stream, rescue{from, left})
	o.mu.Lock()
	o.rescued[key] = from
	o.mu.Unlock()
	if err != nil {
		return fmt.Errorf("look for overdue events in %s: %w", name, err)
	}
	return nil
}

// rescue is where a look for overdue events begins, and how many it may look at.
type rescue struct {
	from uint64
	left *int
}

// rescueIn looks at the parked events, and returns where the next round begins.
func (o *Owner) rescueIn(ctx context.Context, stream natsjs.Stream, r rescue) (uint64, error) {
	parked, from := o.client.Names().Prefix()+".p.>", r.from
	for *r.left > 0 {
		*r.left--
		msg, err := stream.GetMsg(ctx, max(from, 1), natsjs.WithGetMsgSubject(parked))
		if errors.Is(err, natsjs.ErrMsgNotFound) {
			return 0, nil // the end: from the start again
		}
		if err != nil {
			return from, err
		}
		from = msg.Sequence + 1
		due, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(msg.Header.Get("Nats-Schedule"), "@at "))
		if err != nil || time.Since(due) < o.client.Timing().Overdue {
			continue
		}
		if err := o.parkAgain(ctx, msg); err != nil {
			return from, err
		}
	}
	return from, nil
}

// parkAgain stores the event anew under its own subject, provided that it is still the one that was read.
func (o *Owner) parkAgain(ctx context.Context, msg *natsjs.RawStreamMsg) error {
	header := nats.Header{}
	for name, values := range msg.Header {
		header[name] = values
	}
	delete(header, natsjs.MsgIDHeader) // the server remembers it
	header[natsjs.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(msg.Sequence, 10)}
	_, err := o.client.JetStream().PublishMsg(ctx, &nats.Msg{Subject: msg.Subject, Header: header, Data: msg.Data})
	var api *natsjs.APIError
	if errors.As(err, &api) && api.ErrorCode == natsjs.JSErrCodeStreamWrongLastSequence {
		return nil // it has fired, or was parked anew, meanwhile
	}
	if err == nil {
		o.client.Logger().Warn("an event was parked beyond its time and is woken", "subject", msg.Subject)
	}
	return err
}
