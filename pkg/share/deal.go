package share

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
)

const (
	// leastWeight is what a message takes in memory however small it is: its headers, its requests and their buffers.
	leastWeight = 16 << 10
	// partWeight is what each target adds that a message is for, headersWeight what its attributes take.
	partWeight, headersWeight = 1 << 10, 2 << 10
)

// amount is how many bytes something takes, of the memory of the process and of the log.
type amount struct{ memory, log int64 }

func (a *amount) add(other amount) {
	a.memory += other.memory
	a.log += other.log
}

func (a amount) negative() amount { return amount{-a.memory, -a.log} }

// weigh estimates how much a message takes while it is dealt to so many targets.
func weigh(m dispatch.Message, parts int) amount {
	size := len(m.Event.Data) + headersWeight
	return amount{memory: int64(max(leastWeight, size+parts*partWeight)), log: int64(size)}
}

// deal is one message on its way to those who want it.
type deal struct {
	group   *Group
	message dispatch.Message
	subject string
	weight  amount

	mu sync.Mutex
	// left counts the parts that are not settled, accepted those that are for good.
	left, accepted int
	// returned are those that were given back, after is the shortest delay that they ask for.
	returned []*part
	after    time.Duration
}

// part is dispatch.Lease of a deal for one member.
type part struct {
	deal   *deal
	member *member
	// undecided says that the member's filter could not tell yet: the part is not to be handed out, but to be looked at again.
	undecided bool
	settled   atomic.Bool
}

// Ack settles the part for good.
func (p *part) Ack() error {
	p.end(func(d *deal) { d.accepted++ })
	return nil
}

// Release gives the part back. The message itself is given back only when nobody else has settled his part for good: to them it must not
// come again. Then the part is parked for its member instead.
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

// parkReturned parks what was given back for those who did so, which keeps it from the others. Should that fail, better all get it twice
// than one never.
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
