package jetstream

import (
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// parkedMessage is the schedule that sends the work to the target at notBefore. Its subject is made of the work's identity, so that
// no two of them ever replace each other, and a second parking of the same work replaces the first.
//
// Its id is of the message that brought the work, and not of the time: when the PubAck of a first try is lost, and what that has
// stored was even sent meanwhile, a second one stores nothing. What was sent then lives on as a message of its own, which can be
// parked again.
func (c *Client) parkedMessage(target route.Target, w dispatch.Work, notBefore time.Time) *nats.Msg {
	id := identityOf(target, w)
	m := encodeWork(w)
	m.Subject = c.names.ParkedSubject(id)
	m.Header["Nats-Schedule"] = []string{"@at " + notBefore.UTC().Format(time.RFC3339Nano)}
	m.Header["Nats-Schedule-Target"] = []string{c.names.DirectedSubject(target.Key)}
	m.Header[jetstream.MsgIDHeader] = []string{naming.MessageID(id, "park "+formatUint(w.Directed))}
	return m
}
