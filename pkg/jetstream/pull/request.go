package pull

import (
	"strconv"

	"github.com/nats-io/nats.go"
)

const (
	// firstAsk is how many bytes a request asks for after the source was idle, mostAsk how many at most. A source that is busy doubles what
	// it asks for, so that the many that are idle reserve little.
	firstAsk = 64 << 10
	mostAsk  = 4 << 20
	// requests are how many pull requests a source has open at most: the second is sent while the first is used up.
	requests = 2
)

// request is one pull request, and what of it has not come. Each has a subscription of its own: it tells which request brings a message.
type request struct {
	sub   *nats.Subscription
	inbox string
	// reply is the subject of its statuses. A server says of a request that it is complete when the next one may have been sent.
	reply    string
	messages int
	bytes    int64
	used     bool // it has brought something
}

// reserve returns how many bytes may be asked for. A source that neither holds nor expects anything may always ask for one message:
// else those that hold what they cannot deliver would keep it from its own.
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

// pullRequest is the JSON of a request. It is put together by hand because encoding/json would make the stack of this goroutine, of
// which there is one for each consumer, grow for good.
func (s *Source) pullRequest(messages int, bytes int64) []byte {
	request := strconv.AppendInt([]byte(`{"batch":`), int64(messages), 10)
	request = strconv.AppendInt(append(request, `,"max_bytes":`...), bytes, 10)
	request = strconv.AppendInt(append(request, `,"expires":`...), int64(pullExpires), 10)
	request = strconv.AppendInt(append(request, `,"idle_heartbeat":`...), int64(s.client.Timing().Heartbeat), 10)
	return append(request, '}')
}

// end gives back what a request no longer brings.
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
	return &request{} // cannot be: there are no other subscriptions
}

// grow has a source that uses up its requests ask for more at a time.
func (s *Source) grow() { s.window = min(2*s.window, mostAsk) }

// askForLarge is for a message that is larger than all that was asked for: it may be as large as the server takes now, or larger still
// when the server took more before.
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
