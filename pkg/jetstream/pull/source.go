package pull

import (
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// pullExpires is how long the server keeps a pull request open.
const pullExpires = 30 * time.Second

// Consumer names a consumer in the NATS account.
type Consumer struct{ Stream, Name string }

// Taker gets the messages of a source. Its methods are called by the source's goroutine.
type Taker interface {
	// Space returns how much may be asked for now.
	Space() share.Space
	// Paused tells to leave messages where they are for a moment; AskMore tells when it is over.
	Paused() bool
	Take(m *nats.Msg, lease *Lease)
}

// Source pulls one consumer's messages. One goroutine, run, owns all fields below the line; worker goroutines touch only
// the leases, which have a lock of their own.
//
// Why not nats.go's own Consume: it buffers messages whose leases nobody renews, and it asks for more than we can place.
type Source struct {
	client *jetstream.Client
	budget *Budget
	taker  Taker
	api    string // subject of the pull requests

	// more has a token when there may be room to ask for messages.
	more    chan struct{}
	arrived chan *nats.Msg
	status  chan nats.Status
	stop    chan struct{}
	stopped chan struct{}
	leases  *leases

	// --- owned by run ---
	open       [requests]request
	sent       uint64 // requests so far
	window     int64  // what a request asks for, in bytes
	least      int64  // what the next message may need, in bytes
	lastHeard  time.Time
	resumeAt   time.Time // not to ask before this; zero: ask when there is room
	complained string
}

// Open opens a source on a consumer that exists or comes into being later.
func Open(c *jetstream.Client, id Consumer, t Taker, b *Budget) (*Source, error) {
	s := &Source{
		client: c, budget: b, taker: t,
		api:  "$JS.API.CONSUMER.MSG.NEXT." + id.Stream + "." + id.Name,
		more: make(chan struct{}, 1),
		// After a lost heartbeat the messages of the old request may still come, and statuses need room too.
		arrived: make(chan *nats.Msg, 2*share.Room+64),
		stop:    make(chan struct{}), stopped: make(chan struct{}),
		leases: newLeases(c.Conn(), b, c.Timing().RenewEvery),
		window: firstAsk, least: firstAsk,
	}
	for i := range s.open {
		inbox := c.Conn().NewInbox()
		sub, err := c.Conn().ChanSubscribe(inbox+".*", s.arrived)
		if err != nil {
			s.unsubscribe()
			return nil, err
		}
		s.open[i] = request{sub: sub, inbox: inbox}
	}
	s.status = c.Conn().StatusChanged(nats.CONNECTED, nats.CLOSED)
	c.Go(s.run)
	return s, nil
}

func (s *Source) unsubscribe() {
	for i := range s.open {
		if sub := s.open[i].sub; sub != nil {
			_ = sub.Unsubscribe() // fails only when the connection is closed
		}
	}
}

// AskMore has the source ask for messages if there is room. It does not block.
func (s *Source) AskMore() { loop.Notify(s.more) }

// Stop ends the pulling; what is still on its way goes to the taker. Leases that are out stay renewed until they end.
func (s *Source) Stop() {
	close(s.stop)
	<-s.stopped
}

func (s *Source) run() {
	renew := time.NewTicker(s.client.Timing().RenewEvery / 4)
	defer renew.Stop()
	defer s.client.Conn().RemoveStatusListener(s.status)
	defer s.leases.renewUntilEnded(renew.C)
	defer close(s.stopped)
	s.lastHeard = time.Now()
	s.ask()
	var next *nats.Msg
	for {
		arrived := s.arrived
		if next != nil { // taken before it was known to be paused
			if s.taker.Paused() {
				arrived = nil
			} else {
				s.receive(next)
				next = nil
				s.ask()
			}
		}
		select {
		case next = <-arrived:
		case now := <-renew.C:
			s.leases.renew(now)
			switch {
			case now.Sub(s.lastHeard) > 2*s.client.Timing().Heartbeat:
				s.restart()
			case !s.resumeAt.IsZero() && now.After(s.resumeAt):
				s.resumeAt = time.Time{}
				s.ask()
			}
		case status := <-s.status:
			if status == nats.CLOSED { // nothing can be given back any more: the leases run out
				s.giveUp()
				return
			}
			s.restart()
		case <-s.more:
			s.ask()
		case <-s.stop:
			if next != nil {
				s.receive(next)
			}
			s.drain()
			return
		}
	}
}

// ask keeps the open requests together below what may be taken; small top-ups wait until they are worth it. While NATS is away it does
// nothing: the client would keep every request and send them all when NATS is back.
func (s *Source) ask() {
	if !s.resumeAt.IsZero() || !s.client.Conn().IsConnected() {
		return
	}
	free, messages, bytes := -1, 0, int64(0)
	for i := range s.open {
		messages += s.open[i].messages
		bytes += s.open[i].bytes
		if s.open[i].messages == 0 {
			free = i
		}
	}
	if free < 0 {
		return
	}
	space := s.taker.Space()
	more := min(space.Messages-messages, share.Room)
	if more <= 0 || messages > 0 && more < (space.MostMessages+1)/2 {
		return
	}
	granted := s.reserve(min(s.window, space.Bytes-bytes), messages > 0)
	if granted == 0 {
		return
	}
	q := &s.open[free]
	s.sent++
	q.reply, q.messages, q.bytes, q.used = q.inbox+"."+strconv.FormatUint(s.sent, 10), more, granted, false
	if err := s.client.Conn().PublishRequest(s.api, q.reply, s.pullRequest(more, granted)); err != nil {
		s.complain("pull request: " + err.Error())
		s.end(q) // the renew tick restarts it when nothing is heard
	}
}

// restart forgets the open requests, which the server or the network has lost, and asks anew.
func (s *Source) restart() {
	for i := range s.open {
		s.end(&s.open[i])
	}
	s.lastHeard = time.Now()
	s.resumeAt = time.Time{}
	s.ask()
}

// receive handles one message of the server: an event, or a status of a request.
func (s *Source) receive(m *nats.Msg) {
	s.lastHeard = time.Now()
	q := s.requestOf(m.Sub)
	if m.Reply == "" && m.Header.Get("Status") != "" {
		if m.Subject == q.reply && q.messages > 0 { // else it speaks of a request that is over for us
			s.takeStatus(q, m)
		}
		return
	}
	size := int64(m.Size())
	s.budget.arrived(size)
	s.complained = ""
	q.used = true
	q.bytes -= size
	if q.messages--; q.messages <= 0 || q.bytes <= 0 { // of one whose bytes are used up to the last the server says nothing
		s.end(q)
		s.grow()
	}
	s.taker.Take(m, s.leases.add(m.Reply, size))
}

// takeStatus accounts for what a request will no longer bring. Source of the codes: NATS ADR-37.
func (s *Source) takeStatus(q *request, m *nats.Msg) {
	code, text := m.Header.Get("Status"), m.Header.Get("Description")
	if code == "100" {
		return
	}
	s.end(q)
	switch code {
	case "404", "408": // the request ran its time
		s.window, s.least = firstAsk, firstAsk
	case "409":
		switch {
		case m.Header.Get("Nats-Pending-Messages") == "": // consumer deleted, leader changed, server going away: give it a moment
			s.complain(text)
			s.holdOff()
		case text != "Message Size Exceeds MaxBytes":
		case q.used: // the next message does not fit in what is left
			s.grow()
		default:
			s.askForLarge()
		}
	default: // 503: no such consumer, or JetStream is away
		s.complain(code + " " + text)
		s.holdOff()
	}
}

// holdOff keeps a missing consumer from being asked for in a tight loop.
func (s *Source) holdOff() { s.resumeAt = time.Now().Add(jetstream.RetryPause) }

func (s *Source) complain(text string) {
	if s.complained == text {
		return
	}
	s.complained = text
	s.client.Logger().Warn("pulling waits", "consumer", s.api[len("$JS.API.CONSUMER.MSG.NEXT."):], "reason", text)
}

// giveUp gives back what was asked for.
func (s *Source) giveUp() {
	for i := range s.open {
		s.end(&s.open[i])
	}
	s.budget.forget(s)
}

// drain ends the subscriptions without losing sight of what is on its way.
func (s *Source) drain() {
	timer := time.NewTimer(jetstream.RetryPause)
	defer timer.Stop()
	for i := range s.open {
		closed := s.open[i].sub.StatusChanged(nats.SubscriptionClosed)
		if s.open[i].sub.Drain() != nil {
			continue
		}
		for waiting := true; waiting; {
			select {
			case m := <-s.arrived:
				s.receive(m)
			case <-closed:
				waiting = false
			case <-timer.C:
				waiting = false
			}
		}
	}
	for len(s.arrived) > 0 {
		s.receive(<-s.arrived)
	}
	s.giveUp()
}
