package jetstream

import (
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
)

const (
	// pullExpires is how long the server keeps a pull request open; pullHeartbeat is how often it says that it still does.
	pullExpires   = 30 * time.Second
	pullHeartbeat = 5 * time.Second
	// pullBytes bounds what one request may bring into memory.
	pullBytes = 8 << 20
)

// source pulls one consumer's messages. One goroutine, run, owns all fields below the line; worker goroutines touch only
// the leases, which have a lock of their own.
//
// Why not nats.go's own Consume: it buffers messages whose leases nobody renews, and it asks for more than we can place.
type source struct {
	client   *Client
	request  string // subject of the pull requests
	decode   func(*nats.Msg) (dispatch.Work, error)
	capacity int

	// deal, if not nil, takes all that comes; nothing goes to out then.
	deal *dealer
	// more asks for messages: there is room again.
	more chan struct{}

	out     chan dispatch.Message
	arrived chan *nats.Msg
	sub     *nats.Subscription
	status  chan nats.Status
	stop    chan struct{}
	stopped chan struct{}
	leases  *leases

	// --- owned by run ---
	queue       []dispatch.Message
	outstanding int // messages asked for that have not come
	inbox       string
	generation  int
	lastHeard   time.Time
	resumeAt    time.Time // not to ask before this; zero: ask when there is room
	complained  string
}

type pullTarget struct {
	stream, consumer string
	capacity         int
	decode           func(*nats.Msg) (dispatch.Work, error)
	deal             *dealer
}

// pull opens a source on a consumer that exists or comes into being later.
func (c *Client) pull(t pullTarget) (*source, error) {
	s := &source{
		client: c, capacity: max(t.capacity, 1), decode: t.decode, deal: t.deal, more: make(chan struct{}, 1),
		request: "$JS.API.CONSUMER.MSG.NEXT." + t.stream + "." + t.consumer,
		out:     make(chan dispatch.Message),
		// Twice the capacity: after a lost heartbeat the messages of the old request may still come. Statuses need room too.
		arrived: make(chan *nats.Msg, 2*max(t.capacity, 1)+64),
		stop:    make(chan struct{}), stopped: make(chan struct{}),
		leases: newLeases(c.conn, c.timing.renewEvery),
		inbox:  c.conn.NewInbox(),
	}
	var err error
	if s.sub, err = c.conn.ChanSubscribe(s.inbox+".*", s.arrived); err != nil {
		return nil, err
	}
	s.status = c.conn.StatusChanged(nats.CONNECTED, nats.CLOSED)
	c.background.Go(s.run)
	return s, nil
}

// Messages yields what was pulled, and is closed by Stop.
func (s *source) Messages() <-chan dispatch.Message { return s.out }

// Stop gives back what nobody took. Leases that are out stay renewed until they end.
func (s *source) Stop() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	<-s.stopped
}

func (s *source) run() {
	renew := time.NewTicker(s.client.timing.renewEvery / 4)
	defer renew.Stop()
	defer s.client.conn.RemoveStatusListener(s.status)
	defer s.leases.renewUntilEnded(renew.C)
	defer close(s.stopped)
	defer close(s.out)
	s.lastHeard = time.Now()
	s.ask()
	for {
		var out chan dispatch.Message
		var head dispatch.Message
		if len(s.queue) > 0 {
			out, head = s.out, s.queue[0]
		}
		select {
		case out <- head:
			s.queue[0] = dispatch.Message{}
			s.queue = s.queue[1:]
			s.ask()
		case m := <-s.arrived:
			s.take(m)
			s.ask()
		case now := <-renew.C:
			s.leases.renew(now)
			if now.Sub(s.lastHeard) > 2*s.client.timing.heartbeat || (!s.resumeAt.IsZero() && now.After(s.resumeAt)) {
				s.restart()
			}
		case status := <-s.status:
			if status == nats.CLOSED { // nothing can be given back any more: the leases run out
				return
			}
			if s.deal != nil {
				s.deal.sharing.lapse()
			}
			s.restart()
		case <-s.more:
			s.ask()
		case <-s.stop:
			s.giveBack()
			return
		}
	}
}

// ask keeps the server's open requests and our own queue together below the capacity; small top-ups wait until they are worth it.
// While NATS is away it does nothing: the client would keep every request and send them all when NATS is back.
func (s *source) ask() {
	room, capacity := s.capacity-len(s.queue), s.capacity
	if s.deal != nil {
		room, capacity = s.deal.room()
	}
	room -= s.outstanding
	if room <= 0 || (s.outstanding > 0 && room < (capacity+1)/2) || !s.resumeAt.IsZero() || !s.client.conn.IsConnected() {
		return
	}
	if err := s.client.conn.PublishRequest(s.request, s.replySubject(), s.pullRequest(room)); err != nil {
		s.complain("pull request: " + err.Error())
		return // the renew tick restarts it when nothing is heard
	}
	s.outstanding += room
}

// pullRequest is the JSON of a request for so many messages. It is put together by hand because encoding/json would make the stack of
// this goroutine, of which there is one for each consumer, grow for good.
func (s *source) pullRequest(room int) []byte {
	request := strconv.AppendInt([]byte(`{"batch":`), int64(room), 10)
	request = strconv.AppendInt(append(request, `,"max_bytes":`...), max(pullBytes, 2*s.client.MaxPayload()), 10)
	request = strconv.AppendInt(append(request, `,"expires":`...), int64(pullExpires), 10)
	request = strconv.AppendInt(append(request, `,"idle_heartbeat":`...), int64(s.client.timing.heartbeat), 10)
	return append(request, '}')
}

// replySubject tells the requests since the last restart from those before it.
func (s *source) replySubject() string { return s.inbox + "." + strconv.Itoa(s.generation) }

// restart forgets the open requests, which the server or the network has lost, and asks anew.
func (s *source) restart() {
	s.generation++
	s.outstanding = 0
	s.lastHeard = time.Now()
	s.resumeAt = time.Time{}
	s.ask()
}

// take handles one message of the server: an event, or a status of a request.
func (s *source) take(m *nats.Msg) {
	s.lastHeard = time.Now()
	if m.Reply == "" && m.Header.Get("Status") != "" {
		if m.Subject == s.replySubject() { // else it speaks of a request that we have given up
			s.takeStatus(m)
		}
		return
	}
	if s.outstanding > 0 {
		s.outstanding--
	}
	s.complained = ""
	if s.deal != nil {
		s.deal.take(m, s)
		return
	}
	if message, ok := s.read(m); ok {
		s.queue = append(s.queue, message)
	}
}

// read takes hold of a message and decodes it.
func (s *source) read(m *nats.Msg) (dispatch.Message, bool) {
	lease := s.leases.add(m.Reply)
	work, err := s.decode(m)
	if err != nil {
		// Only foreign hands can have put such a message here. It must not vanish: it stays, and says so, until someone looks.
		s.client.log.Error("a stored message cannot be read", "subject", m.Subject, "error", err)
		_ = lease.Release(time.Minute)
		return dispatch.Message{}, false
	}
	return dispatch.Message{Work: work, Lease: lease}, true
}

// takeStatus accounts for what a request will no longer bring. Source of the codes: NATS ADR-37.
func (s *source) takeStatus(m *nats.Msg) {
	code, text := m.Header.Get("Status"), m.Header.Get("Description")
	if code == "100" {
		return
	}
	left, err := strconv.Atoi(m.Header.Get("Nats-Pending-Messages"))
	if err == nil && left <= s.outstanding {
		s.outstanding -= left
	} else {
		s.outstanding = 0
	}
	switch code {
	case "404", "408": // the request ran its time
	case "409":
		if err != nil { // consumer deleted, leader changed, server going away: give it a moment
			s.complain(text)
			s.holdOff()
		}
	default: // 503: no such consumer, or JetStream is away
		s.complain(code + " " + text)
		s.holdOff()
	}
}

// holdOff keeps a missing consumer from being asked for in a tight loop.
func (s *source) holdOff() { s.resumeAt = time.Now().Add(retryPause) }

func (s *source) complain(text string) {
	if s.complained == text {
		return
	}
	s.complained = text
	s.client.log.Warn("pulling waits", "consumer", s.request[len("$JS.API.CONSUMER.MSG.NEXT."):], "reason", text)
}

// giveBack ends the subscription without losing sight of what is on its way, and returns every message that nobody took.
func (s *source) giveBack() {
	closed := s.sub.StatusChanged(nats.SubscriptionClosed)
	if err := s.sub.Drain(); err == nil {
		timer := time.NewTimer(retryPause)
		defer timer.Stop()
	drain:
		for {
			select {
			case m := <-s.arrived:
				s.take(m)
			case <-closed:
				break drain
			case <-timer.C:
				break drain
			}
		}
	}
	for len(s.arrived) > 0 {
		s.take(<-s.arrived)
	}
	for _, m := range s.queue {
		_ = m.Release(0) // if it does not reach the server, the lease runs out instead
	}
	s.queue = nil
}
