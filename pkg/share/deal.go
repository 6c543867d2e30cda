package share

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
)

const (
	// leastWeight is what the smallest message takes in memory: headers, requests and buffers.
	leastWeight = 16 << 10
	// partWeight is what each part of a message adds, headersWeight what its attributes take.
	partWeight, headersWeight = 1 << 10, 2 << 10
)

// amount is how many bytes something takes, in memory and in the log.
type amount struct{ memory, log int64 }

func (a *amount) add(other amount) {
	a.memory += other.memory
	a.log += other.log
}

func (a amount) negative() amount { return amount{-a.memory, -a.log} }

// weigh estimates how much a message of so many parts takes.
func weigh(m dispatch.Message, parts int) amount {
	size := len(m.Event.Data) + headersWeight
	return amount{memory: int64(max(leastWeight, size+parts*partWeight)), log: int64(size)}
}

// deal is one message, dealt to those that want it.
type deal struct {
	group   *Group
	message dispatch.Message
	subject string
	weight  amount

	mu sync.Mutex
	// left counts the parts that are not settled, accepted those that were acknowledged.
	left, accepted int
	// returned are the parts that were released, after is the shortest delay that they ask for.
	returned []*part
	after    time.Duration
}

// part implements dispatch.Lease for one member that a message was dealt to.
type part struct {
	deal   *deal
	member *member
	// undecided says that the filter cannot tell yet: the part is parked, and compared again later.
	undecided bool
	settled   atomic.Bool
}

// Ack settles the part: its member is done with the message.
func (p *part) Ack() error {
	p.end(func(d *deal) { d.accepted++ })
	return nil
}

// Release gives the part back. The message is released only if no other member has acknowledged its
// part, as it would come to that member again. Else the part is parked.
func (p *part) Release(after time.Duration) error {
	p.end(func(d *deal) {
		if len(d.returned) == 0 || after < d.after {
			d.after = after
		}
		d.returned = append(d.returned, p)
	})
	return nil
}

func settleAll(parts []*part) {
	for _, p := range parts {
		_ = p.Ack()
	}
}

func releaseAll(parts []*part) {
	for _, p := range parts {
		_ = p.Release(0)
	}
}

func (p *part) end(how func(*deal)) {
	if p.settled.Swap(true) {
		return
	}
	d := p.deal
	d.group.mu.Lock()
	d.group.holds(p.member, d.weight.negative())
	d.group.mu.Unlock()
	d.mu.Lock()
	how(d)
	d.left--
	last := d.left == 0
	d.mu.Unlock()
	if last {
		d.settle()
	}
}

// settle ends the message. It is called once, when no part is left.
func (d *deal) settle() {
	switch {
	case len(d.returned) == 0:
		d.accept()
	case d.accepted == 0:
		d.giveBack(d.after)
	default:
		d.group.config.Go(d.parkReturned)
	}
}

func (d *deal) accept() {
	defer d.group.settled(d.weight)
	if err := d.message.Ack(); err != nil {
		d.group.config.Logger.Warn("event is not acknowledged, it may be delivered again", "sequence", d.message.Sequence, "error", err)
		_ = d.message.Release(0)
	}
}

func (d *deal) giveBack(after time.Duration) {
	defer d.group.settled(d.weight)
	if err := d.message.Release(after); err != nil {
		d.group.config.Logger.Warn("message is given back by timeout only", "sequence", d.message.Sequence, "error", err)
	}
}

// parkReturned parks the released parts for their members. If that fails it releases the message:
// then all members get the event once more, which is better than that one never gets it.
func (d *deal) parkReturned() {
	due := time.Now().Add(d.after)
	for _, p := range d.returned {
		if !d.group.park(context.Background(), p, due) {
			d.giveBack(d.after)
			return
		}
	}
	d.accept()
}
