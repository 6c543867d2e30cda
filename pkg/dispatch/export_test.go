package dispatch

import (
	"slices"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Served returns the targets that have a dispatcher.
func (p *Pool) Served() []route.TargetKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := make([]route.TargetKey, 0, len(p.dispatchers))
	for key := range p.dispatchers {
		keys = append(keys, key)
	}
	return keys
}

// dispatcherOf returns the dispatcher of a target that is served.
func (p *Pool) dispatcherOf(target route.Target) *dispatcher {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dispatchers[target.Key]
}

// inFlight returns how many slots of a target are taken.
func (p *Pool) inFlight(target route.Target) int { return p.dispatcherOf(target).slots.all.InUse() }

// waiting returns the tasks of a target that wait in this process.
func (p *Pool) waiting(target route.Target) []task {
	w := p.dispatcherOf(target).waiting
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.tasks)
}
