package publish

import (
	"fmt"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Expected is the stream that is to store a message. Subjects alone do not tell: when the stream of an address is gone, any other may
// listen to them, and nobody reads the address's events there.
type Expected struct {
	stream string
	// first is a sequence below which the stream has none. A PubAck with a lower one is of another stream of the same name, which
	// somebody has put there by hand. 0 where it is not known.
	first uint64
	// absent is an answer: that there is no such stream ends a try. A log is made again by its owner within seconds.
	absent bool
	// header is the value of a message's header that names the stream.
	header []string
}

// ExpectStream expects the stream of this name to store a message.
func ExpectStream(stream string) Expected {
	return Expected{stream: stream, absent: true, header: []string{stream}}
}

// ExpectLog is where the address's events are stored.
func ExpectLog(c *jetstream.Client, a route.Address) Expected {
	e := ExpectStream(c.LogOf(a)).Awaited()
	e.first = a.Log.First
	return e
}

// Awaited has tries go on while the stream is not there: it is made again, or chooses its leader.
func (e Expected) Awaited() Expected {
	e.absent = false
	return e
}

// Mark has the server store the message in no other stream.
func (e Expected) Mark(m *nats.Msg) { m.Header[natsjs.ExpectedStreamHeader] = e.header }

// judge returns nil when the answer says that the message is stored here. What another stream answers, an error too, is errOtherStream.
func (e Expected) judge(a answer) error {
	switch {
	case len(a.stream) > 0 && string(a.stream) != e.stream:
		return fmt.Errorf("%w: %s answers for %s", errOtherStream, a.stream, e.stream)
	case a.err != nil:
		return a.err
	case a.sequence < e.first:
		return fmt.Errorf("%w: %s has the sequence %d, and that of the address begins at %d", errOtherStream, a.stream, a.sequence, e.first)
	}
	return nil
}
