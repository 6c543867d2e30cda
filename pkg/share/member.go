package share

import (
	"slices"
	"sync"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// member is a target that shares. Everything in it but the key is guarded by the group's lock.
type member struct {
	key    route.TargetKey
	target route.Target
	// gone is set when the target is none of the group's any more.
	gone bool
	// held is the weight of its parts that are not settled, queue those that nobody has taken yet.
	held  int
	queue []*part
	// outlet is where its parts are taken from; nil while nobody does.
	outlet *outlet
	// said is the last complaint about it.
	said string
}

func (m *member) enqueue(p *part) {
	m.queue = append(m.queue, p)
	m.pump()
}

// empty takes everything out of the queue.
func (m *member) empty() []*part {
	parts := m.queue
	m.queue = nil
	return parts
}

// pump has the queue handed out if there is somebody to take it. Most members wait for most of their time: they have no goroutine then.
func (m *member) pump() {
	if o := m.outlet; o != nil && !o.pumping && len(m.queue) > 0 {
		o.pumping = true
		o.pumps.Add(1)
		o.group.config.Go(o.pump)
	}
}

// outlet is dispatch.Source of a member.
type outlet struct {
	group  *Group
	member *member
	out    chan dispatch.Message
	stop   chan struct{}
	once   sync.Once
	pumps  sync.WaitGroup
	// pumping is guarded by the group's lock.
	pumping bool
}

func (o *outlet) Messages() <-chan dispatch.Message { return o.out }

// Stop leaves what nobody has taken to the next outlet of the member.
func (o *outlet) Stop() {
	o.once.Do(func() {
		o.group.mu.Lock()
		o.member.outlet = nil
		o.group.mu.Unlock()
		close(o.stop)
		o.pumps.Wait()
		close(o.out)
	})
}

func (o *outlet) pump() {
	defer o.pumps.Done()
	for {
		p := o.next()
		if p == nil {
			return
		}
		select {
		case o.out <- dispatch.Message{Work: p.deal.message.Work, Lease: p}:
		case <-o.stop:
			o.putBack(p)
			return
		}
	}
}

// next takes the part that has waited for longest; nil ends the pump.
func (o *outlet) next() *part {
	o.group.mu.Lock()
	defer o.group.mu.Unlock()
	if len(o.member.queue) == 0 || o.member.outlet != o {
		o.pumping = false
		return nil
	}
	p := o.member.queue[0]
	o.member.queue[0] = nil
	o.member.queue = o.member.queue[1:]
	return p
}

// putBack returns a part that nobody took to the queue, if that is still of use.
func (o *outlet) putBack(p *part) {
	o.group.mu.Lock()
	m := o.member
	gone, parked, closed := m.gone, m.target.NotReady != "", o.group.closed.Err() != nil
	if !gone && !parked && !closed {
		m.queue = slices.Insert(m.queue, 0, p)
		m.pump() // somebody else may have opened it
	}
	o.group.mu.Unlock()
	switch {
	case gone:
		o.group.finish(nil, []*part{p})
	case closed:
		_ = p.Release(0)
	case parked:
		o.group.finish([]*part{p}, nil)
	}
}
