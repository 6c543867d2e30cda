package owner

import (
	"context"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/consume"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// trimWorld is one Broker, or one Channel, with what happens to it, and a model of what its Triggers are owed.
type trimWorld struct {
	*installation
	ctx       context.Context
	trimmer   *jetstream.Client
	publisher *publish.Publisher
	processes [2]*trimProcess

	mu sync.Mutex
	// clock counts what the model has to put into order: the beginning of each publish, and the making of each Trigger.
	clock    int
	events   []trimEvent
	triggers map[string]*trimTrigger
}

type trimEvent struct {
	eventType string
	begun     int
	sequence  uint64
}

// trimTrigger is a Trigger as the model knows it.
type trimTrigger struct {
	trimFilter
	target route.Target
	made   int
	acked  map[uint64]bool
	// buried is set while it is removed; lost when its consumer went in that time, so that it would begin anew.
	buried, lost bool
}

// isOwed tells whether the event must still be in the log for the Trigger.
func (t *trimTrigger) isOwed(e trimEvent) bool {
	return !t.buried && t.matches(e.eventType) && e.begun > t.made && !t.acked[e.sequence]
}

// trimProcess is a filter process.
type trimProcess struct {
	*process
	client  *jetstream.Client
	sources map[route.TargetKey]dispatch.Source
	held    []heldMessage
}

type heldMessage struct {
	dispatch.Message
	trigger *trimTrigger
}

func newTrimWorld(i *installation, trimmer *jetstream.Client) *trimWorld {
	w := &trimWorld{
		installation: i, ctx: i.t.Context(), trimmer: trimmer, publisher: publisherOf(i.t, i.client), triggers: map[string]*trimTrigger{},
	}
	w.processes = [2]*trimProcess{w.newProcess(), w.newProcess()}
	return w
}

func (w *trimWorld) newProcess() *trimProcess {
	client := dial(w.t, w.server, hurried)
	// What is parked is safe in another place, which other tests look after.
	p := startParking(w.t, consume.Config{Client: client, Park: func(_ context.Context, target route.Target, work dispatch.Work, _ time.Time) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.triggers[target.Key.Name].acked[work.Sequence] = true
		return nil
	}})
	return &trimProcess{process: p.trustful(), client: client, sources: map[route.TargetKey]dispatch.Source{}}
}

// tell lets the processes know which Triggers there are, and which have ended and are not swept.
func (w *trimWorld) tell(processes ...*trimProcess) {
	var live, ended []route.Target
	w.mu.Lock()
	for _, t := range w.triggers {
		switch {
		case t.lost:
		case t.buried:
			ended = append(ended, t.target)
		default:
			live = append(live, t.target)
		}
	}
	w.mu.Unlock()
	for _, p := range processes {
		p.knowsAlso(live, ended...)
	}
}

func (w *trimWorld) close() {
	for _, p := range w.processes {
		p.kill()
	}
	for _, stream := range []string{w.client.Names().DirectedStream(w.broker.Key), w.client.Names().DeadLetterStream(w.broker.Key)} {
		_ = w.client.JetStream().DeleteStream(w.ctx, stream)
	}
	jstest.Must(w.t, w.client.JetStream().DeleteStream(w.ctx, w.client.Names().Log(w.broker.Key)))
}

// kill ends the process as a crash does: nothing that it holds is given back.
func (p *trimProcess) kill() {
	p.client.EventsConn().Close()
	p.client.Conn().Close()
	p.stop()
	p.client.Close()
}

func (p *trimProcess) source(target route.Target) dispatch.Source {
	source, ok := p.sources[target.Key]
	if !ok {
		source = p.Log(target)
		p.sources[target.Key] = source
	}
	return source
}

func (p *trimProcess) leave(target route.Target) {
	if source, ok := p.sources[target.Key]; ok {
		source.Stop()
		delete(p.sources, target.Key)
	}
}

func (w *trimWorld) isChannel() bool { return w.broker.Key.Kind == route.KindChannel }

// pick draws one of the Triggers that there are.
func (w *trimWorld) pick(rt *rapid.T) *trimTrigger {
	name := rapid.SampledFrom(trimNames).Draw(rt, "trigger")
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.triggers[name]
}

// settle does with a message what a runner does: what the filter does not match is acknowledged at once.
func (w *trimWorld) settle(trigger *trimTrigger, p *trimProcess, m dispatch.Message, do string) {
	if !trigger.matches(m.Event.Attr(event.Type)) {
		do = "ack"
	}
	var err error
	switch do {
	case "ack":
		w.mu.Lock()
		trigger.acked[m.Sequence] = true
		w.mu.Unlock()
		err = m.Ack()
	case "nak":
		err = m.Release(0)
	case "hold":
		p.held = append(p.held, heldMessage{m, trigger})
	}
	jstest.Must(w.t, err)
}

func (w *trimWorld) owes(trigger *trimTrigger) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if trigger.isOwed(e) {
			return true
		}
	}
	return false
}
