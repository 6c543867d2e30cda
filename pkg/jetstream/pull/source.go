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

// Taker gets the messages of a source. The source's goroutine calls its methods.
type Taker interface {
	// Space returns how much the source may ask for now.
	Space() share.Space
	// Paused reports whether messages have to wait for a moment; AskMore ends the wait.
	Paused() bool
	Take(m *nats.Msg, lease *Lease)
}

// Source pulls one consumer's messages. One goroutine, run, owns all fields below the line; worker
// goroutines touch only the leases, which have a lock of their own. nats.go's own Consume buffers
// messages without renewing their leases, and requests more than the Taker has space for.
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
	resumeAt   time.Time // no request before this time, unless it is zero
	complained string
}

// Open opens a source on a consumer, which may be made later.
func Open(c *jetstream.Client, id Consumer, t Taker, b *Budget) (*Source, error) {
	s := &Source{
		client: c, budget: b, taker: t,
		api:  "$JS.API.CONSUMER.MSG.NEXT." + id.Stream + "." + id.Name,
		more: make(chan struct{}, 1),
		// Room for messages of old requests, which come after a lost heartbeat, and for statuses.
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

// AskMore tells the source that there may be room for messages. It does not block.
func (s *Source) AskMore() { loop.Notify(s.more) }

// Stop ends the pulling. Messages on their way go to the taker; leases that are out stay renewed.
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
		if next != nil { // received before the pause was seen
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

// ask sends a request if the taker has space beyond the open requests; a top-up of less than half
// waits. While NATS is away it sends none: the client would keep each request until the reconnect.
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
		s.end(q) // the renew tick restarts the source if nothing is heard
	}
}

// restart drops the open requests, which the server or the network has lost, and sends a new one.
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
		if m.Subject == q.reply && q.messages > 0 { // else it is about an earlier request
			s.takeStatus(q, m)
		}
		return
	}
	size := int64(m.Size())
	s.budget.arrived(size)
	s.complained = ""
	q.used = true
	q.bytes -= size
	if q.messages--; q.messages <= 0 || q.bytes <= 0 { // no status comes if the bytes are used up exactly
		s.end(q)
		s.grow()
	}
	s.taker.Take(m, s.leases.add(m.Reply, size))
}

// takeStatus ends a request that brings no more messages. Source of the codes: NATS ADR-37.
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

// holdOff pauses the requests: a missing consumer must not be asked for in a tight loop.
func (s *Source) holdOff() { s.resumeAt = time.Now().Add(jetstream.RetryPause) }

func (s *Source) complain(text string) {
	if s.complained == text {
		return
	}
	s.complained = text
	s.client.Logger().Warn("pulling waits", "consumer", s.api[len("$JS.API.CONSUMER.MSG.NEXT."):], "reason", text)
}

func (s *Source) giveUp() {
	for i := range s.open {
		s.end(&s.open[i])
	}
	s.budget.forget(s)
}

// drain ends the subscriptions; the messages that are on their way go to the taker.
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
