package share

import (
	"context"
	"time"
)

// parkLater has the parts parked, by a few goroutines however many there are. A group that is closed gives them back.
func (g *Group) parkLater(parts []*part) {
	g.mu.Lock()
	if g.closed.Err() == nil {
		g.toPark = append(g.toPark, parts...)
		for ; g.parkers < min(parking, len(g.toPark)); g.parkers++ {
			g.config.Go(g.parker)
		}
		parts = nil
	}
	g.mu.Unlock()
	for _, p := range parts {
		_ = p.Release(0)
	}
}

// parker parks until there is nothing to park.
func (g *Group) parker() {
	for {
		p := g.nextToPark()
		switch {
		case p == nil:
			return
		case g.park(g.closed, p, time.Now()):
			_ = p.Ack()
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

// parkAgain has the part tried again after a pause, in which it keeps no other from being parked.
func (g *Group) parkAgain(p *part) {
	g.mu.Lock()
	closed := g.closed.Err() != nil
	if !closed {
		g.failed = append(g.failed, p)
		if !g.retrying {
			g.retrying = true
			g.config.Go(g.retry)
		}
	}
	g.mu.Unlock()
	if closed {
		_ = p.Release(0)
	}
}

// retry puts what could not be parked back to what is to be parked.
func (g *Group) retry() {
	timer := time.NewTimer(parkPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.closed.Done():
	}
	g.mu.Lock()
	failed := g.failed
	g.failed, g.retrying = nil, false
	g.mu.Unlock()
	g.parkLater(failed)
}

// park makes one try to park the part. One whose member is gone is done with.
func (g *Group) park(ctx context.Context, p *part, due time.Time) bool {
	g.mu.Lock()
	target, gone := p.member.target, p.member.gone
	g.mu.Unlock()
	if gone {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, parkTimeout)
	defer cancel()
	err := g.config.Park(ctx, target, p.deal.message.Work, due)
	g.say(p.member, err)
	return err == nil
}

// say complains once about a member until the reason changes or is over.
func (g *Group) say(m *member, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	g.mu.Lock()
	changed := m.said != text
	m.said = text
	g.mu.Unlock()
	if changed && err != nil {
		g.config.Logger.Warn("events of a target that is behind cannot be parked, they are held here", "target", m.key.String(), "error", err)
	}
}
