package share_test

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// model knows which member is owed which message.
type model struct {
	group   *share.Group
	names   naming.Names
	running sync.WaitGroup
	players map[string]*player
	joined  []*player
	// leftOpen are the players that have left with an open source.
	leftOpen []*player
	out      []held
	last     uint64

	mu                  sync.Mutex
	parkFails, ackFails int
	stories             []*story
	released            []*story
	wrong               string
}

// player is a target from joining to leaving. A later one of the same name is another player.
type player struct {
	name   string
	target route.Target
	filter modelFilter
	source dispatch.Source
	gone   bool
	// ended says that it was removed and may come back.
	ended bool
}

// story is an event and what became of it, however often it is taken. The model's lock guards it.
type story struct {
	sequence          uint64
	eventType         string
	large, unreadable bool
	// done are the players that are done with the event, and how: acknowledged or parked.
	done map[*player]string
	// unwanted are the players whose filter no longer matched it after an edit.
	unwanted map[*player]bool
	// failed says that something failed, so that a player may get it twice.
	failed, acked bool
}

// held is a part that was handed out.
type held struct {
	player  *player
	story   *story
	message dispatch.Message
}

func newModel(rt *rapid.T, t *testing.T) *model {
	m := &model{names: namesOf(t), players: map[string]*player{}}
	m.group = share.New(share.Config{
		Park: m.park, Go: m.running.Go, More: func() {}, Logger: slog.New(slog.DiscardHandler),
		Bytes: share.MaxBytes, Current: func() bool { return true },
		Subjects: m.names.Subjects,
	})
	m.put(rt, &player{filter: modelFilters[0], target: target("a")})
	m.put(rt, &player{filter: modelFilters[0], target: target("b")})
	return m
}

func (m *model) put(rt *rapid.T, p *player) {
	m.mu.Lock()
	p.name, p.target.UID = p.target.Key.Name, strconv.Itoa(len(m.joined))
	m.players[p.name], m.joined = p, append(m.joined, p)
	m.mu.Unlock()
	m.follow(rt)
}

func (m *model) follow(rt *rapid.T) {
	var live, ended []route.Target
	for _, p := range m.players {
		p.target.Filter = p.filter.spec
		if p.ended {
			ended = append(ended, p.target)
		} else {
			live = append(live, p.target)
		}
	}
	m.group.Follow(live, ended)
}

// pick returns one of the players; nil if there is none.
func (m *model) pick(rt *rapid.T) *player {
	var names []string
	for _, name := range []string{"a", "b", "c", "d"} {
		if m.players[name] != nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return m.players[rapid.SampledFrom(names).Draw(rt, "who")]
}

func (m *model) deal(s *story) {
	l := &modelLease{model: m, story: s}
	for _, p := range m.players {
		if s.sequence > p.target.After && p.filter.matches(s.eventType) {
			l.wantedBy = append(l.wantedBy, p)
		}
	}
	work := dispatch.Work{Event: typed(s.eventType), Sequence: s.sequence}
	if s.large {
		work.Event.Data = fourMiB()
	}
	if s.unreadable {
		work.Event.Attributes, work.Failure = nil, &dispatch.Failure{}
	}
	m.mu.Lock()
	if l.again = len(m.stories) >= int(s.sequence); !l.again {
		m.stories = append(m.stories, s)
	}
	m.mu.Unlock()
	m.group.Take(m.names.EventSubject(broker, s.eventType), dispatch.Message{Work: work, Lease: l})
}

var fourMiB = sync.OnceValue(func() []byte { return make([]byte, 4<<20) })

// modelLease checks, when the message is acknowledged, that it is owed to no player.
type modelLease struct {
	model    *model
	story    *story
	wantedBy []*player
	again    bool
}

func (l *modelLease) Ack() error {
	l.model.mu.Lock()
	defer l.model.mu.Unlock()
	for _, p := range l.wantedBy {
		if !p.gone && !l.story.unwanted[p] && l.story.done[p] == "" {
			l.model.wrong = "message " + l.story.eventType + " is acknowledged, and " + p.name + " has not got it"
		}
	}
	if l.model.ackFails > 0 && len(l.wantedBy) > 0 {
		l.model.ackFails--
		l.story.failed = true
		return errInjected
	}
	l.story.acked = true
	return nil
}

func (l *modelLease) Release(time.Duration) error {
	l.model.mu.Lock()
	defer l.model.mu.Unlock()
	l.model.released = append(l.model.released, l.story)
	return nil
}

func (m *model) park(_ context.Context, t route.Target, w dispatch.Work, _ time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stories[w.Sequence-1]
	if m.parkFails > 0 {
		m.parkFails--
		s.failed = true
		return errInjected
	}
	n, err := strconv.Atoi(t.UID)
	if err == nil {
		s.done[m.joined[n]] = "parked"
	}
	return err
}

func (m *model) receiveFor(rt *rapid.T, p *player, most int) {
	for range most {
		if p.source == nil {
			return
		}
		synctest.Wait()
		message, ok := p.source.Take()
		if !ok {
			return
		}
		h := held{player: p, story: m.stories[message.Sequence-1], message: message}
		m.mu.Lock()
		if done := h.story.done[p]; done != "" && !h.story.failed {
			m.wrong = p.name + " gets again what it has " + done
		}
		m.mu.Unlock()
		m.out = append(m.out, h)
	}
}

func (m *model) ack(rt *rapid.T, h held) {
	m.mu.Lock()
	h.story.done[h.player] = "acknowledged"
	m.mu.Unlock()
	if err := h.message.Ack(); err != nil {
		rt.Fatal(err)
	}
}

func (m *model) check(rt *rapid.T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wrong != "" {
		rt.Fatal(m.wrong)
	}
}

// deliverTheRest ends all failures, and acknowledges everything.
func (m *model) deliverTheRest(rt *rapid.T) {
	m.mu.Lock()
	m.parkFails, m.ackFails = 0, 0
	m.mu.Unlock()
	for _, p := range m.leftOpen {
		p.source.Stop()
	}
	for _, p := range m.players {
		p.target.NotReady, p.ended = "", false
	}
	m.follow(rt)
	for _, p := range m.players {
		if p.source == nil {
			p.source = m.group.Open(p.target.Key)
		}
	}
	for range 10 {
		<-time.After(2 * time.Second)
		m.takeAgain()
		for _, p := range m.players {
			m.receiveFor(rt, p, 10000)
		}
		for _, h := range m.out {
			m.ack(rt, h)
		}
		m.out = nil
		synctest.Wait()
	}
	m.finish(rt)
}

func (m *model) finish(rt *rapid.T) {
	m.check(rt)
	for _, s := range m.stories {
		if !s.acked {
			rt.Errorf("message %d is never acknowledged", s.sequence)
		}
	}
	if s := m.group.Space(); s.Bytes != share.MaxBytes {
		rt.Errorf("in the end %d bytes are free", s.Bytes)
	}
	m.group.Close()
	for _, p := range m.players {
		p.source.Stop()
	}
	m.running.Wait()
}

var modelTypes = []string{"a", "b.x", "b.y", "c"}

type modelFilter struct {
	spec    filter.Spec
	matches func(eventType string) bool
}

var modelFilters = []modelFilter{
	{filter.Spec{}, func(string) bool { return true }},
	{ofType("a"), func(s string) bool { return s == "a" }},
	{ofEither("a", "c"), func(s string) bool { return s == "a" || s == "c" }},
	{typeBegins("b."), func(s string) bool { return strings.HasPrefix(s, "b.") }},
	{typeEnds("y"), func(s string) bool { return strings.HasSuffix(s, "y") }},
}
