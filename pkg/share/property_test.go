package share_test

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A message is acknowledged only when every member that wants it, and has not left, has
// acknowledged its part or has it parked (I2), whatever the members do and whatever fails. No
// member gets an acknowledged part again, unless something failed. In the end all messages are
// acknowledged and the group is empty.
func TestNoMessageIsAcknowledgedBeforeAllHaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// rapid asks for the deadline of a testing.T, which a synctest bubble forbids.
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			m := newModel(rt, t)
			rt.Repeat(m.steps())
			m.deliverTheRest(rt)
		})
	})
}

func (m *model) steps() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"take":             m.take,
		"take more":        m.take,
		"take many":        func(rt *rapid.T) { m.takeMany(rt) },
		"take again":       func(*rapid.T) { m.takeAgain() },
		"join":             m.join,
		"leave":            m.leave,
		"edit":             m.edit,
		"turn":             m.turn,
		"come and go":      m.comeAndGo,
		"open":             m.open,
		"stop":             m.stop,
		"receive":          m.receive,
		"receive more":     m.receive,
		"end":              m.endSome,
		"end more":         m.endSome,
		"let parking fail": m.failParking,
		"rest":             func(*rapid.T) { synctest.Wait() },
		"wait":             func(*rapid.T) { <-time.After(2 * time.Second) },
		"":                 m.check,
	}
}

func (m *model) take(rt *rapid.T) {
	m.last++
	m.deal(&story{
		sequence: m.last, eventType: rapid.SampledFrom(modelTypes).Draw(rt, "type"), done: map[*player]string{}, unwanted: map[*player]bool{},
		large: rapid.Bool().Draw(rt, "large"), unreadable: rapid.IntRange(0, 9).Draw(rt, "unreadable") == 0,
	})
}

// takeMany makes the group more than half full.
func (m *model) takeMany(rt *rapid.T) {
	eventType := rapid.SampledFrom(modelTypes).Draw(rt, "type")
	for range 12 {
		m.last++
		m.deal(&story{sequence: m.last, eventType: eventType, large: true, done: map[*player]string{}, unwanted: map[*player]bool{}})
	}
}

// takeAgain takes what was released, as the log gives it again.
func (m *model) takeAgain() {
	m.mu.Lock()
	again := m.released
	m.released = nil
	m.mu.Unlock()
	for _, s := range again {
		m.deal(s)
	}
}

func (m *model) join(rt *rapid.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "who")
	if m.players[name] == nil {
		m.put(rt, &player{filter: rapid.SampledFrom(modelFilters).Draw(rt, "filter"), target: since(m.last, target(name))})
	}
}

func (m *model) leave(rt *rapid.T) {
	p := m.pick(rt)
	if p == nil {
		return
	}
	m.mu.Lock()
	p.gone = true
	delete(m.players, p.name)
	m.mu.Unlock()
	m.follow(rt)
	if p.source != nil && rapid.Bool().Draw(rt, "stopped") {
		p.source.Stop()
	} else if p.source != nil {
		m.leftOpen = append(m.leftOpen, p)
	}
}

func (m *model) edit(rt *rapid.T) {
	if p := m.pick(rt); p != nil {
		p.filter = rapid.SampledFrom(modelFilters).Draw(rt, "filter")
		m.mu.Lock()
		for _, s := range m.stories {
			s.unwanted[p] = s.unwanted[p] || !p.filter.matches(s.eventType)
		}
		m.mu.Unlock()
		m.follow(rt)
	}
}

// turn makes a target ready or not.
func (m *model) turn(rt *rapid.T) {
	p := m.pick(rt)
	if p == nil {
		return
	}
	if p.target.NotReady == "" {
		p.target = notReady(p.target)
	} else {
		p.target.NotReady = ""
	}
	m.follow(rt)
}

func (m *model) open(rt *rapid.T) {
	p := m.pick(rt)
	if p == nil {
		return
	}
	p.source = m.group.Open(p.target.Key)
}

// comeAndGo ends a target, or brings it back.
func (m *model) comeAndGo(rt *rapid.T) {
	if p := m.pick(rt); p != nil {
		p.ended = !p.ended
		m.follow(rt)
	}
}

func (m *model) stop(rt *rapid.T) {
	if p := m.pick(rt); p != nil && p.source != nil {
		p.source.Stop()
		if _, ok := p.source.Take(); ok {
			rt.Fatal("a stopped source hands out a message")
		}
		p.source = nil
	}
}

func (m *model) receive(rt *rapid.T) {
	if p := m.pick(rt); p != nil {
		m.receiveFor(rt, p, rapid.IntRange(1, 5).Draw(rt, "how many"))
	}
}

// endSome acknowledges or releases some of the parts that are out.
func (m *model) endSome(rt *rapid.T) {
	for range min(len(m.out), rapid.IntRange(1, 5).Draw(rt, "how many")) {
		i := rapid.IntRange(0, len(m.out)-1).Draw(rt, "which")
		h := m.out[i]
		m.out = append(m.out[:i:i], m.out[i+1:]...)
		if rapid.Bool().Draw(rt, "acknowledges") {
			m.ack(rt, h)
		} else if err := h.message.Release(time.Second); err != nil {
			rt.Fatal(err)
		}
	}
}

func (m *model) failParking(rt *rapid.T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parkFails = rapid.IntRange(0, 5).Draw(rt, "how often")
	m.ackFails = rapid.IntRange(0, 2).Draw(rt, "how often an acknowledgement fails")
}
