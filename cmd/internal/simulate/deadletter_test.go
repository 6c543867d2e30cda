package simulate

import (
	"context"
	"strings"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
)

// readDeadLetters notes what has come into the dead-letter streams since the last call.
func (w *world) readDeadLetters(client *jetstream.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), putTimeout)
	defer cancel()
	for _, address := range w.plan.addresses {
		stream, err := client.JetStream().Stream(ctx, w.names.DeadLetterStream(address))
		if err != nil {
			continue // NATS is away, or there is none yet
		}
		for {
			m, err := stream.GetMsg(ctx, w.read[address]+1, natsjs.WithGetMsgSubject(">"))
			if err != nil {
				break
			}
			w.read[address] = m.Sequence
			w.keptDeadLetter(m)
		}
	}
}

func (w *world) keptDeadLetter(m *natsjs.RawStreamMsg) {
	e, err := event.FromNATS(m.Header, m.Data)
	w.must(err)
	_, name, _ := strings.Cut(m.Header.Get(codec.HeaderTarget), "/")
	q := request{
		target: name, host: "the dead-letter stream", at: m.Time.In(time.Local), fate: buries,
		bytes: len(e.Data), reason: m.Header.Get(codec.HeaderReason) != "",
	}
	w.history.got(e.Attr(event.ID), q)
}
