package pull

import (
	"strconv"

	"github.com/nats-io/nats.go"
)

const (
	// firstAsk is how many bytes the first request after an idle time asks for, mostAsk the most. A
	// busy source doubles its requests, so that the many idle ones reserve little.
	firstAsk = 64 << 10
	mostAsk  = 4 << 20
	// requests is how many pull requests a source has open at most: one is used up, one comes next.
	requests = 2
)

// request is one pull request, with the messages and bytes that have not come. Each has a
// subscription of its own, which tells the messages of the two apart.
type request struct {
	sub   *nats.Subscription
	inbox string
	// reply is the subject of its statuses, new for each request: a late status ends no other.
	reply    string
	messages int
	bytes    int64
	used     bool // a message of it has come
}

// reserve returns how many bytes a new request may ask for. A source that holds and expects nothing
// may always ask for one message: sources that cannot deliver what they hold must not starve it.
func (s *Source) reserve(want int64, expects bool) int64 {
	if want >= s.least {
		if granted := s.budget.ask(s, want, s.least); granted > 0 {
			return granted
		}
	}
	if expects || !s.leases.none() {
		return 0
	}
	s.budget.force(s.least)
	return s.least
}

// pullRequest returns the JSON of a request. encoding/json would enlarge the stack of this
// goroutine for good, and there is one for each consumer.
func (s *Source) pullRequest(messages int, bytes int64) []byte {
	request := strconv.AppendInt([]byte(`{"batch":`), int64(messages), 10)
	request = strconv.AppendInt(append(request, `,"max_bytes":`...), bytes, 10)
	request = strconv.AppendInt(append(request, `,"expires":`...), int64(pullExpires), 10)
	request = strconv.AppendInt(append(request, `,"idle_heartbeat":`...), int64(s.client.Timing().Heartbeat), 10)
	return append(request, '}')
}

// end frees the bytes that a request no longer brings.
func (s *Source) end(q *request) {
	s.budget.unask(q.bytes)
	q.messages, q.bytes = 0, 0
}

func (s *Source) requestOf(sub *nats.Subscription) *request {
	for i := range s.open {
		if s.open[i].sub == sub {
			return &s.open[i]
		}
	}
	return &request{} // unreachable: there are no other subscriptions
}

// grow doubles the size of the next requests, because one was used up.
func (s *Source) grow() { s.window = min(2*s.window, mostAsk) }

// askForLarge is for a message that does not fit into an unused request: the next one asks for as
// much as the server takes now, and then for more, because the server may have taken more before.
func (s *Source) askForLarge() {
	largest := s.client.MaxPayload() + firstAsk
	if s.least >= largest {
		largest = 2 * s.least
	}
	s.least = largest
	s.window = max(s.window, s.least)
	if s.least > mostAsked {
		s.complain("a message is larger than the server takes now")
		s.holdOff()
	}
}
