package share

import (
	"slices"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// member is a target that reads the consumer. The group's lock guards everything but the key.
type member struct {
	key route.TargetKey
	// now is the member's reader in the latest roster; nil if the target is no longer a member.
	now *reader
	// held is what its unsettled parts take; queue are the parts that nobody has taken yet.
	held  amount
	queue []*part
	// outlet is the open source of its parts; nil if there is none.
	outlet *outlet
	// parkFailure is why its parts cannot be parked now; logged is the last reason that was logged.
	parkFailure, logged string
}

func (m *member) enqueue(p *part) {
	m.queue = append(m.queue, p)
	m.wake()
}

func (m *member) putBack(p *part) {
	m.queue = slices.Insert(m.queue, 0, p)
	m.wake()
}

func (m *member) dequeue() *part {
	p := m.queue[0]
	m.queue[0] = nil
	m.queue = m.queue[1:]
	return p
}

func (m *member) dequeueLast() *part {
	last := len(m.queue) - 1
	p := m.queue[last]
	m.queue[last] = nil
	m.queue = m.queue[:last]
	return p
}

// empty takes everything out of the queue.
func (m *member) empty() []*part {
	parts := m.queue
	m.queue = nil
	return parts
}

// drop takes the unwanted parts out of the queue.
func (m *member) drop(unwanted func(*deal) bool) (dropped []*part) {
	m.queue = slices.DeleteFunc(m.queue, func(p *part) bool {
		if !unwanted(p.deal) {
			return false
		}
		dropped = append(dropped, p)
		return true
	})
	return dropped
}

// wake tells the outlet that there may be parts.
func (m *member) wake() {
	if o := m.outlet; o != nil && len(m.queue) > 0 {
		loop.Notify(o.ready)
	}
}

// outlet implements dispatch.Source for a member; member is nil if the target is none.
type outlet struct {
	group  *Group
	member *member
	ready  chan struct{}
}

func (o *outlet) Ready() <-chan struct{} { return o.ready }

// Take returns the part that has waited for longest.
func (o *outlet) Take() (dispatch.Message, bool) {
	g, m := o.group, o.member
	if m == nil || !g.config.Current() {
		return dispatch.Message{}, false
	}
	r := g.roster.Load()
	g.mu.Lock()
	if m.outlet != o || len(m.queue) == 0 || m.now == nil || m.now.parks() {
		g.mu.Unlock()
		return dispatch.Message{}, false
	}
	p := m.dequeue()
	more := r.sole == m && len(m.queue) == r.window/2
	g.mu.Unlock()
	if more {
		g.config.More()
	}
	return dispatch.Message{Work: p.deal.message.Work, Lease: p, Taken: p.deal.message.Taken}, true
}

// Stop leaves what nobody has taken to the member's next outlet.
func (o *outlet) Stop() {
	if o.member == nil {
		return
	}
	o.group.mu.Lock()
	defer o.group.mu.Unlock()
	if o.member.outlet == o {
		o.member.outlet = nil
	}
}
