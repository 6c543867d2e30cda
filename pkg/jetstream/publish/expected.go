package publish

import (
	"fmt"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Expected is the stream that has to store a message. The subject does not tell: when the log of an
// address is gone, any stream may take its subjects, and nobody reads the events there.
type Expected struct {
	stream string
	// first is the stream's first sequence, 0 if unknown. A PubAck with a lower one is of another
	// stream of the same name, which somebody has made by hand.
	first uint64
	// absent makes ErrNoStreamResponse final. It is false for a log, which its owner makes again.
	absent bool
	// header is the value of a message's header that names the stream.
	header []string
}

// ExpectStream expects the stream of this name to store a message.
func ExpectStream(stream string) Expected {
	return Expected{stream: stream, absent: true, header: []string{stream}}
}

// ExpectLog expects the log of the address to store a message.
func ExpectLog(c *jetstream.Client, a route.Address) Expected {
	e := ExpectStream(c.LogOf(a)).Awaited()
	e.first = a.Log.First
	return e
}

// Awaited lets Send go on while the stream is not there, or elects its leader.
func (e Expected) Awaited() Expected {
	e.absent = false
	return e
}

// Mark has the server store the message in no other stream.
func (e Expected) Mark(m *nats.Msg) { m.Header[natsjs.ExpectedStreamHeader] = e.header }

// judge returns nil if this stream has stored the message, errOtherStream if another one answers.
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
