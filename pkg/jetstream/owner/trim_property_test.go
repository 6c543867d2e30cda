package owner

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"

	"pgregory.net/rapid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The trimmer is the one piece of this project that could lose an event. So: whatever happens, in whatever order and however
// much at once, an event that a live Trigger's filter matches, and that was published after the Trigger was made, is in the log
// until that Trigger has acknowledged it; and in the end the Trigger gets it. Every other schedule is of a Channel, to which NATS
// publishers write too, and whose subscribers begin where they like.
func TestTheTrimmerNeverRemovesAnUndeliveredEvent(t *testing.T) {
	i := install(t, hurried)
	trimmer := dial(t, i.server, hurried)
	end := time.Now().Add(8 * time.Second)
	schedule := 0
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(end) {
			return // as many schedules as the time allows
		}
		schedule++
		i.broker = brokerOf(fmt.Sprintf("orders-%d", schedule), 16<<20)
		if schedule%2 == 0 {
			name := fmt.Sprintf("channel-%d", schedule)
			i.broker = channelOf(name, route.Log{Subjects: []string{name + ".>"}})
		}
		i.putBroker()
		w := newTrimWorld(i, trimmer)
		defer w.close()
		stop := w.trimAllTheTime()
		rt.Repeat(w.steps())
		w.deliverTheRest(rt)
		stop()
		w.check(rt)
	})
	t.Logf("%d schedules", schedule)
}

func hurried(c *jetstream.Client) {
	brisk(c)
	c.Timing().AckWait, c.Timing().RenewEvery = 300*time.Millisecond, 100*time.Millisecond
}

// steps are what can happen. Those named "... and ..." happen at the same time.
func (w *trimWorld) steps() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"publish":           w.Send,
		"deliver":           w.deliver,
		"deliver more":      w.deliver,
		"finish":            w.finishHeld,
		"crash":             w.crash,
		"put":               w.put,
		"remove":            w.remove,
		"sweep":             func(rt *rapid.T) { w.sweep(rt) },
		"delete a consumer": w.deleteConsumer,
		"restart the owner": func(*rapid.T) { w.owner = New(w.client, "tests", shortGrace) },
		"trim":              func(rt *rapid.T) { w.trim(rt) },
		"publish and put":   func(rt *rapid.T) { w.alongside(rt, w.put) },
		"publish and sweep": func(rt *rapid.T) { w.alongside(rt, w.sweep) },
		"publish and delete a consumer": func(rt *rapid.T) {
			w.alongside(rt, w.deleteConsumer)
		},
		"": w.check,
	}
}

// alongside publishes while the step is under way.
func (w *trimWorld) alongside(rt *rapid.T, step func(*rapid.T)) {
	types := rapid.SliceOfN(rapid.SampledFrom(trimTypes), 1, 20).Draw(rt, "types")
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for _, eventType := range types {
			w.publishOne(eventType)
		}
	})
	defer publishing.Wait()
	step(rt)
}

func (w *trimWorld) Send(rt *rapid.T) {
	for _, eventType := range rapid.SliceOfN(rapid.SampledFrom(trimTypes), 1, 20).Draw(rt, "types") {
		w.publishOne(eventType)
	}
}

func (w *trimWorld) publishOne(eventType string) {
	w.mu.Lock()
	w.clock++
	e := trimEvent{eventType: eventType, begun: w.clock, sequence: uint64(len(w.events) + 1)}
	w.mu.Unlock()
	if err := w.store(e); err != nil {
		w.t.Errorf("publish: %v", err)
	}
	w.mu.Lock()
	w.events = append(w.events, e)
	w.mu.Unlock()
}

// store publishes as an ingress does, or, now and then and to a Channel, as somebody else.
func (w *trimWorld) store(e trimEvent) error {
	if w.isChannel() && e.eventType == nativeType {
		_, err := w.client.JetStream().Publish(w.ctx, w.broker.Key.Name+".native", []byte("plain"))
		return err
	}
	m := jstest.Message(strconv.FormatUint(e.sequence, 10), e.eventType)
	m.ID = w.broker.Key.Name + m.ID
	_, err := w.publisher.Publish(w.ctx, w.broker, []ingress.Message{m})
	return err
}

// deliver takes some messages of one Trigger, in one of two processes, and ends or holds their leases.
func (w *trimWorld) deliver(rt *rapid.T) {
	trigger := w.pick(rt)
	if trigger == nil || trigger.buried {
		return
	}
	p := w.processes[rapid.IntRange(0, 1).Draw(rt, "process")]
	source := p.source(trigger.target)
	for _, do := range rapid.SliceOfN(rapid.SampledFrom([]string{"ack", "ack", "ack", "nak", "hold"}), 1, 15).Draw(rt, "outcomes") {
		m, ok := poll(source, 15*time.Millisecond)
		if !ok {
			return
		}
		w.settle(trigger, p, m, do)
	}
}

func (w *trimWorld) finishHeld(*rapid.T) {
	for _, p := range w.processes {
		for _, h := range p.held {
			w.settle(h.trigger, p, h.Message, "ack")
		}
		p.held = nil
	}
}

// crash kills one process with everything that it holds.
func (w *trimWorld) crash(rt *rapid.T) {
	n := rapid.IntRange(0, 1).Draw(rt, "process")
	w.processes[n].kill()
	w.processes[n] = w.newProcess()
	w.tell(w.processes[n])
}

// put makes a Trigger, brings a removed one back, or changes the filter of one.
func (w *trimWorld) put(rt *rapid.T) {
	name := rapid.SampledFrom(trimNames).Draw(rt, "trigger")
	f, start := rapid.SampledFrom(trimFilters).Draw(rt, "filter"), rapid.SampledFrom([]route.StartPolicy{"", route.StartAll, route.StartLast}).Draw(rt, "start")
	if !w.isChannel() && rapid.IntRange(0, 3).Draw(rt, "begins elsewhere") > 0 {
		start = route.StartNew // only such Triggers share a consumer
	}
	if w.isChannel() {
		f = trimFilters[0]
	}
	w.mu.Lock()
	trigger, known := w.triggers[name]
	w.mu.Unlock()
	if !known {
		trigger = &trimTrigger{target: w.trigger(name), acked: map[uint64]bool{}}
	}
	anew := !known || trigger.name != f.name || trigger.lost
	trigger.target.Filter, trigger.target.Start.Policy = f.spec, start
	if _, err := w.owner.PutTarget(w.ctx, trigger.target); err != nil {
		w.t.Fatalf("put: %v", err)
	}
	before := trigger.target
	w.mu.Lock()
	trigger.target = w.recorded(trigger.target.Key)
	trigger.buried = false
	w.triggers[name] = trigger
	w.mu.Unlock()
	for _, p := range w.processes {
		if before.Consumer != trigger.target.Consumer {
			p.leave(before)
		}
	}
	w.tell(w.processes[:]...) // it is ready only after that
	w.mu.Lock()
	defer w.mu.Unlock()
	if anew { // it is owed what is published from now on
		w.clock++
		trigger.made = w.clock
	}
	trigger.trimFilter, trigger.buried, trigger.lost = f, false, false
	w.triggers[name] = trigger
}

func (w *trimWorld) remove(rt *rapid.T) {
	trigger := w.pick(rt)
	if trigger == nil {
		return
	}
	w.mu.Lock()
	trigger.buried = true
	w.mu.Unlock()
	if err := w.owner.RemoveTarget(w.ctx, trigger.target.Key); err != nil {
		w.t.Fatalf("remove: %v", err)
	}
}

func (w *trimWorld) sweep(*rapid.T) {
	if err := w.owner.Sweep(w.ctx); err != nil {
		w.t.Fatalf("sweep: %v", err)
	}
	w.mu.Lock()
	for _, trigger := range w.triggers {
		if trigger.buried { // the grace of this owner has run out
			trigger.lost = true
			for _, p := range w.processes {
				p.leave(trigger.target)
			}
		}
	}
	w.mu.Unlock()
	w.tell(w.processes[:]...)
}

func (w *trimWorld) deleteConsumer(rt *rapid.T) {
	trigger := w.pick(rt)
	if trigger == nil {
		return
	}
	err := w.client.JetStream().DeleteConsumer(w.ctx, w.client.Names().Log(w.broker.Key), w.recorded(trigger.target.Key).Consumer)
	if jetstream.IgnoreMissing(err) != nil {
		w.t.Fatalf("delete a consumer: %v", err)
	}
}

func (w *trimWorld) trim(rt *rapid.T) {
	_, _ = trim.Once(w.ctx, w.trimmer, w.broker, 1) // refused while a consumer is missing
	w.check(rt)
}

// trimAllTheTime trims concurrently with everything else.
func (w *trimWorld) trimAllTheTime() (stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	var trimming sync.WaitGroup
	trimming.Go(func() {
		for ctx.Err() == nil {
			_, _ = trim.Once(ctx, w.trimmer, w.broker, 1)
			loop.Sleep(ctx, time.Millisecond)
		}
	})
	return func() {
		cancel()
		trimming.Wait()
	}
}

// check looks for an event that is gone and still owed.
func (w *trimWorld) check(rt *rapid.T) {
	stream, err := w.client.JetStream().Stream(w.ctx, w.client.Names().Log(w.broker.Key))
	if err != nil {
		w.t.Fatalf("read the log: %v", err)
	}
	first := stream.CachedInfo().State.FirstSeq
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, trigger := range w.triggers {
		for _, e := range w.events {
			if e.sequence < first && trigger.isOwed(e) {
				rt.Fatalf("event %d of type %s is trimmed (the log begins with %d), and trigger %s (%s) has not got it",
					e.sequence, e.eventType, first, name, trigger.name)
			}
		}
	}
}

// deliverTheRest delivers until every live Trigger has got what it is owed.
func (w *trimWorld) deliverTheRest(rt *rapid.T) {
	w.finishHeld(rt)
	w.sweep(rt)
	w.processes[1].stop()
	for name, trigger := range w.triggers {
		if trigger.buried {
			continue
		}
		source := w.processes[0].source(trigger.target)
		for w.owes(trigger) {
			m, ok := poll(source, jstest.Patience)
			if !ok {
				rt.Fatalf("trigger %s (%s) does not get all that it is owed", name, trigger.name)
			}
			w.settle(trigger, w.processes[0], m, "ack")
		}
	}
}

var trimNames = []string{"one", "two", "three", "four", "five"}

var trimTypes = []string{"a", "b.x", "b.y", nativeType}

// nativeType is the type of events that NATS publishers send to a Channel.
const nativeType = "c"

type trimFilter struct {
	name    string
	spec    filter.Spec
	matches func(eventType string) bool
}

var trimFilters = []trimFilter{
	{"all", filter.Spec{}, func(string) bool { return true }},
	{"type a", filter.Spec{Attributes: map[string]string{event.Type: "a"}}, func(s string) bool { return s == "a" }},
	{"types under b", filter.Spec{Filters: []filter.Expression{{Prefix: map[string]string{event.Type: "b."}}}},
		func(s string) bool { return strings.HasPrefix(s, "b.") }},
	{"type c or type a", filter.Spec{Filters: []filter.Expression{{Any: []filter.Expression{
		{Exact: map[string]string{event.Type: "c"}}, {Exact: map[string]string{event.Type: "a"}},
	}}}}, func(s string) bool { return s == "a" || s == "c" }},
	{"types that end with x", filter.Spec{Filters: []filter.Expression{{Suffix: map[string]string{event.Type: "x"}}}},
		func(s string) bool { return strings.HasSuffix(s, "x") }},
	{"a type that never comes", filter.Spec{Attributes: map[string]string{event.Type: "never"}}, func(string) bool { return false }},
}
