package simulate

import (
	"slices"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// step does one of the things that the plan has: something that the promise has to survive.
func (w *world) step() {
	var steps []func()
	if w.plan.faults {
		steps = append(steps, w.cutConnections, w.partition, w.partition, w.killProcess, w.restartProcess, w.killNATSNow, w.makeUnavailable, w.freeze)
	}
	if w.plan.edits {
		steps = append(steps, w.editFilter, w.editFilter, w.remove, w.make)
	}
	if w.plan.edits && w.plan.faults && w.plan.filters > 1 {
		steps = append(steps, w.comeBack)
	}
	if w.plan.deletions {
		steps = append(steps, w.deleteByHand, w.deleteByHand)
	}
	if w.plan.edits && w.plan.grace < time.Minute && !w.anew {
		steps = append(steps, w.makeAnew)
	}
	if len(steps) > 0 {
		steps[w.rng.IntN(len(steps))]()
	}
}

// anyProcess chooses a filter in half of the cases, as nobody has more to lose. The owners come
// first in the list, then the ingress, then the filters.
func (w *world) anyProcess() (int, *process) {
	i := w.plan.owners
	switch w.rng.IntN(4) {
	case 0:
	case 1:
		i = w.rng.IntN(w.plan.owners)
	default:
		i += 1 + w.rng.IntN(w.plan.filters)
	}
	return i, w.processes[i]
}

func (w *world) cutConnections() {
	_, p := w.anyProcess()
	f := w.history.begin(fault{what: "connections cut", who: p.name})
	p.wires.cut()
	p.wires.mend()
	w.history.end(f)
}

func (w *world) partition() {
	_, p := w.anyProcess()
	lasts := time.Duration(1+w.rng.IntN(45)) * time.Second
	f := w.history.begin(fault{what: "partition", who: p.name})
	p.wires.cut()
	w.mending.Go(func() {
		pass(lasts)
		p.wires.mend()
		w.history.end(f)
	})
}

func (w *world) killProcess() {
	i, p := w.anyProcess()
	f := w.history.begin(fault{what: "killed", who: p.name})
	p.wires.cut()
	p.stop()
	pass(time.Duration(w.rng.IntN(10)) * time.Second * time.Duration(w.rng.IntN(2)))
	w.processes[i] = p.again(p.name)
	w.history.end(f)
}

// restartProcess has a process end well, with what it has in hand, and another one begin.
func (w *world) restartProcess() {
	i, p := w.anyProcess()
	f := w.history.begin(fault{what: "restarted", who: p.name})
	p.stop()
	w.processes[i] = p.again(p.name)
	w.history.end(f)
}

// freeze lets nothing through between a process and NATS, in one direction or both, while each side
// believes that the other is there.
func (w *world) freeze() {
	_, p := w.anyProcess()
	lasts := time.Duration(1+w.rng.IntN(40)) * time.Second
	f := w.history.begin(fault{what: "frozen", who: p.name})
	which := w.rng.IntN(3)
	for _, direction := range []int{toNATS, fromNATS} {
		if which != direction {
			p.wires.freeze(direction, lasts)
		}
	}
	breaks := w.rng.IntN(2) == 0
	w.mending.Go(func() {
		pass(lasts)
		if breaks { // and what is under way is lost
			p.wires.cut()
			p.wires.mend()
		}
		w.history.end(f)
	})
}

// slowly is what a link takes that has just come back.
const slowly = 300 * time.Millisecond

// comeBack cuts a filter off until nobody waits for it, changes a target meanwhile, and has many
// events come for that target as the filter comes back over a slow link: it must not deal them by
// what it knew.
func (w *world) comeBack() {
	p := w.processes[len(w.processes)-1-w.rng.IntN(w.plan.filters)]
	t, found := w.anyTarget(w.rng.IntN(3) > 0)
	if !found {
		return
	}
	next, kind := w.opposite(t)
	f := w.history.begin(fault{what: "partition", who: p.name})
	p.wires.cut()
	w.edit(t, next)
	send := w.burst(t.key.Address, kind)
	w.mending.Go(func() {
		until(time.Minute, func() bool { v, made := w.current(t); return made && !v.ready.IsZero() })
		before := p.wires.slow(slowly)
		p.wires.mend()
		for range 1000 { // nobody dials sooner than in a second or so
			if p.wires.linked() > before {
				break
			}
			pass(10 * time.Millisecond)
		}
		w.history.end(f)
		send()
		pass(5 * time.Second)
		p.wires.slow(w.plan.latency)
	})
}

// opposite returns what a target is to become, and a kind of events of which it wants to get then
// what it has not got, or the other way round.
func (w *world) opposite(t *target) (version, string) {
	kind := kinds()[w.rng.IntN(len(kinds()))]
	if t.key.Address.Kind == route.KindChannel {
		return live(all()), kind
	}
	e := cloudevents.NewEvent()
	e.SetType(kind)
	if now, made := w.current(t); made && now.wants(e) {
		return live(not(kind)), kind
	}
	return live(exact(kind)), kind
}

func (w *world) killNATSNow() {
	f := w.history.begin(fault{what: "NATS killed"})
	w.killNATS()
	w.history.end(f)
}

// makeUnavailable has a subscriber refuse everything for a while. That is no fault of the broker,
// and excuses nothing.
func (w *world) makeUnavailable() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.targets[w.rng.IntN(len(w.targets))].unavailable = time.Now().Add(time.Duration(w.rng.IntN(90)) * time.Second)
}

// anyTarget returns a target that is there, or is not.
func (w *world) anyTarget(there bool) (*target, bool) {
	var found []*target
	for _, t := range w.targets {
		if v, made := w.current(t); (made && !v.ended) == there {
			found = append(found, t)
		}
	}
	if len(found) == 0 {
		return nil, false
	}
	return found[w.rng.IntN(len(found))], true
}

// settledOn tells whether the target has been what it is for some time. One that is edited without
// end has to get nothing: each event may have come between two of its versions.
func (w *world) settledOn(t *target) bool {
	v, _ := w.current(t)
	return !v.ready.IsZero() && time.Since(v.ready) > 15*time.Second
}

// mayRemove is false while a record may be missing that was deleted by hand: an owner ends no target that has no record, and
// filters go on with what they knew. See docs/found-bugs.md.
func (w *world) mayRemove() bool {
	w.history.mu.Lock()
	defer w.history.mu.Unlock()
	return !slices.ContainsFunc(w.history.faults, func(f *fault) bool {
		return f.who == byHand && f.effect == breaks && time.Since(f.begin) < 90*time.Second
	})
}

func (w *world) editFilter() {
	if t, found := w.anyTarget(true); found && w.settledOn(t) {
		w.edit(t, live(anyFilter(w.rng, t.key.Address)))
	}
}

func (w *world) remove() {
	if t, found := w.anyTarget(true); found && w.settledOn(t) && w.mayRemove() {
		w.edit(t, version{ended: true})
	}
	if w.rng.IntN(2) == 0 { // and make one again at once
		pass(time.Duration(w.rng.IntN(3000)) * time.Millisecond)
		w.make()
	}
}

func (w *world) make() {
	if t, found := w.anyTarget(false); found {
		w.edit(t, live(anyFilter(w.rng, t.key.Address)))
	}
}

// makeAnew removes a target, and makes it again when nothing is left of the one before. Nothing else is done meanwhile, so
// once is enough.
func (w *world) makeAnew() {
	w.anew = true
	t, found := w.anyTarget(true)
	if !found || !w.mayRemove() {
		return
	}
	w.edit(t, version{ended: true})
	if !until(time.Minute, func() bool { v, _ := w.current(t); return v.ended && !v.ready.IsZero() }) {
		return
	}
	pass(w.plan.grace + sweeps + time.Second)
	w.edit(t, live(anyFilter(w.rng, t.key.Address)))
}
