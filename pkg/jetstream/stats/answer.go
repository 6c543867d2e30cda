package stats

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// maxPending bounds the requests that wait for their answer. One beyond is not answered.
const maxPending = 64

// Process is who answers.
type Process struct {
	Client *jetstream.Client
	Role   route.Role
	// ID is that of the process's report.
	ID    string
	Table *route.Table
}

// Answer answers requests until ctx ends.
func (p Process) Answer(ctx context.Context) {
	since := time.Now().UTC()
	requests := make(chan *nats.Msg, maxPending)
	sub, err := p.Client.Conn().ChanSubscribe(p.Client.Names().StatsSubject(p.Role), requests)
	if err != nil {
		p.Client.Logger().Warn("nobody can ask for what is counted", "error", err)
		return
	}
	defer func() { _ = sub.Unsubscribe() }()
	for {
		select {
		case m := <-requests:
			p.answer(m, since)
		case <-ctx.Done():
			return
		}
	}
}

func (p Process) answer(m *nats.Msg, since time.Time) {
	var asked Request
	if json.Unmarshal(m.Data, &asked) != nil || asked.ID != "" && asked.ID != p.ID {
		return
	}
	page := Page{Role: p.Role, ID: p.ID, Since: since}
	pageOf(p.Table.Snapshot(), asked, &page)
	data, err := json.Marshal(page)
	if err == nil {
		err = m.Respond(data) // lost, it is asked for again
	}
	if err != nil {
		p.Client.Logger().Debug("what is counted is not told", "error", err)
	}
}
