package share

import (
	"context"
	"errors"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

const (
	// parking is how many messages are being parked at the same time.
	parking = 16
	// parkPause is the time between two tries to park.
	parkPause = time.Second
)

// parkLater has a few goroutines park the parts. A closed group releases them.
func (g *Group) parkLater(parts []*part) {
	if len(parts) == 0 {
		return
	}
	g.mu.Lock()
	if g.closed.Err() == nil {
		g.toPark = append(g.toPark, parts...)
		for ; g.parkers < min(parking, len(g.toPark)); g.parkers++ {
			g.config.Go(g.parker)
		}
		parts = nil
	}
	g.mu.Unlock()
	releaseAll(parts)
}

func (g *Group) parker() {
	for {
		p, pause := g.nextToPark(), g.config.ParkFor
		if p != nil && p.undecided {
			pause = undecidedPause
		}
		switch {
		case p == nil:
			return
		case g.park(g.closed, p, time.Now().Add(pause)):
			_ = p.Ack()
		case p.undecided:
			_ = p.Release(undecidedPause)
		default:
			g.parkAgain(p)
		}
	}
}

func (g *Group) nextToPark() *part {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.toPark) == 0 {
		g.parkers--
		return nil
	}
	p := g.toPark[0]
	g.toPark[0] = nil
	g.toPark = g.toPark[1:]
	return p
}

// parkAgain puts a part that could not be parked back into its member's queue: the member takes it
// if it can by then, else the next retry parks it.
func (g *Group) parkAgain(p *part) {
	g.mu.Lock()
	closed, gone := g.closed.Err() != nil, p.member.now == nil
	if !closed && !gone {
		p.member.putBack(p)
		p.member.parkFailure = p.member.logged // until a retry finds nothing to park; dropped and released parts have no retry
		if !g.retrying {
			g.retrying = true
			g.config.Go(g.retry)
		}
	}
	g.mu.Unlock()
	switch {
	case gone:
		_ = p.Ack()
	case closed:
		_ = p.Release(0)
	}
}

// retry parks, after a pause, what members still cannot take.
func (g *Group) retry() {
	loop.Sleep(g.closed, parkPause)
	r := g.roster.Load()
	var parked []*part
	g.mu.Lock()
	g.retrying = false
	for _, one := range r.readers {
		m := one.member
		surplus := g.surplus(m, r)
		if len(surplus) == 0 {
			m.parkFailure = ""
		}
		parked = append(parked, surplus...)
	}
	g.mu.Unlock()
	g.parkLater(parked)
}

// park tries once to park the part, and reports whether the part is done with. An unparked part is,
// too, if the member is gone or, without room, if the member has ended or its filter cannot tell.
func (g *Group) park(ctx context.Context, p *part, due time.Time) bool {
	g.mu.Lock()
	to := p.member.now
	g.mu.Unlock()
	if to == nil {
		return true
	}
	err := g.config.Park(ctx, to.target, p.deal.message.Work, due)
	if err == nil {
		to.target.Counts.Park()
	}
	full := (to.ended || p.undecided) && (errors.Is(err, dispatch.ErrParkFull) || errors.Is(err, dispatch.ErrTooLarge))
	g.say(p.member, err, full)
	return err == nil || full
}

// say logs why parts of a member cannot be parked, once for each reason.
func (g *Group) say(m *member, err error, dropped bool) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	g.mu.Lock()
	changed := m.logged != text
	m.logged = text
	if err == nil {
		m.parkFailure = ""
	}
	g.mu.Unlock()
	switch {
	case !changed || err == nil:
	case dropped:
		g.config.Logger.Warn("there is no room to keep events that a target may want later: it misses them",
			"target", m.key.String(), "error", err)
	default:
		g.config.Logger.Warn("events of a target that is behind cannot be parked, they are held here", "target", m.key.String(), "error", err)
	}
}
