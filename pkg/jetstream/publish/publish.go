package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// chunkMessages is how many messages of one Publish are under way at a time. A stream queues
	// 10,000 of all publishers by default, and drops the rest.
	chunkMessages = 1024
	// ackBudget is how long Send waits for PubAcks before it sends again.
	ackBudget = 2 * time.Second
	// firstRetry and lastRetry bound the pause between two tries of Send.
	firstRetry = 20 * time.Millisecond
	lastRetry  = 500 * time.Millisecond
	// A full log is tried again fullTries times, fullPause apart, before the sender is refused.
	fullTries = 3
	fullPause = 150 * time.Millisecond
	// MaxHeaderBytes is JetStream's limit of headers. Source: nats-server server/stream.go.
	MaxHeaderBytes = 65535
	// workBytes of the headers are kept free when an event comes in, for the headers of a parked
	// event or a dead letter (see codec.EncodeWork): even the largest event can become either.
	workBytes = 4096
)

// Sender sends messages to streams and waits for their PubAcks. Safe for concurrent use.
type Sender struct {
	client *jetstream.Client
	acks   *acks
}

// NewSender returns a sender on c's connection for events. Error: the connection is closed.
func NewSender(c *jetstream.Client) (*Sender, error) {
	acks, err := newAcks(c.EventsConn())
	if err != nil {
		return nil, err
	}
	c.OnDisconnect(acks.disconnected)
	return &Sender{client: c, acks: acks}, nil
}

// Publisher stores events in the logs of addresses. It implements ingress.Publisher.
type Publisher struct {
	client *jetstream.Client
	sender *Sender
	fill   *trim.Gauge
	holder *holderCache
}

// New returns a publisher that sends with s.
func New(c *jetstream.Client, s *Sender) *Publisher {
	return &Publisher{client: c, sender: s, fill: trim.NewGauge(c), holder: newHolderCache(c)}
}

// Publish stores the messages in the log of the address; see ingress.Publisher for its promises.
func (p *Publisher) Publish(ctx context.Context, to route.Address, messages []ingress.Message) (int, error) {
	log := ExpectLog(p.client, to)
	pending := make([]*nats.Msg, len(messages))
	bytes := 0
	for i, m := range messages {
		msg, err := p.sender.EventMessage(log, to.Key, m)
		if err != nil {
			return 0, err
		}
		pending[i] = msg
		bytes += msg.Size()
	}
	stored, err := 0, error(nil)
	for chunk := range slices.Chunk(pending, chunkMessages) {
		var n int
		n, err = p.chunk(ctx, to, log, chunk)
		if stored += n; err != nil {
			break
		}
	}
	p.fill.Add(to, bytes)
	switch {
	case err == nil:
		return stored, nil
	case jetstream.IsStorageExhausted(err):
		p.fill.Full(to)
		return stored, &ingress.LogFullError{Address: to.Key, Exhausted: true}
	case jetstream.IsLogFull(err):
		p.fill.Full(to)
		held := p.holder.find(ctx, to)
		return stored, &ingress.LogFullError{Address: to.Key, Holder: held.target, Why: held.why}
	case errors.Is(err, nats.ErrMaxPayload):
		return stored, ingress.ErrEventTooLarge
	default:
		return stored, fmt.Errorf("%w: %w", ingress.ErrUnavailable, err)
	}
}

// chunk stores the messages, each once. If the log is full it asks for a trim and tries again.
func (p *Publisher) chunk(ctx context.Context, to route.Address, log Expected, messages []*nats.Msg) (stored int, err error) {
	stored, err = p.sender.Send(ctx, log, messages)
	for try := 0; jetstream.IsLogFull(err) && try < fullTries; try++ {
		p.fill.Full(to)
		loop.Sleep(ctx, fullPause)
		stored, err = p.sender.Send(ctx, log, messages)
	}
	return stored, err
}

// EventMessage returns the event as a message for the log of the address.
// Errors: ingress.ErrAttributesTooLarge, ingress.ErrEventTooLarge.
func (s *Sender) EventMessage(log Expected, to route.Key, m ingress.Message) (*nats.Msg, error) {
	msg := &nats.Msg{
		Subject: s.client.Names().EventSubject(to, m.Event.Attr(event.Type)),
		Header:  event.ToNATS(m.Event),
		Data:    m.Event.Data,
	}
	msg.Header[natsjs.MsgIDHeader] = []string{m.ID}
	log.Mark(msg)
	size := event.HeaderBytes(msg.Header) + workBytes
	if size > MaxHeaderBytes {
		return nil, ingress.ErrAttributesTooLarge
	}
	if int64(size+len(m.Event.Data)) > s.client.MaxPayload() {
		return nil, ingress.ErrEventTooLarge
	}
	return msg, nil
}

// Send publishes the messages, which Mark has marked for the stream, all at once, and repeats those
// without a PubAck until ctx ends, or an error is final. It returns how many are stored. A PubAck
// to any copy counts, also a late one: else many senders on a slow machine would repeat for ever.
func (s *Sender) Send(ctx context.Context, to Expected, messages []*nats.Msg) (stored int, err error) {
	sent := s.acks.send(to, messages)
	defer s.acks.giveUp(sent, errNoPubAck) // frees the waits; nobody reads the error
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		again, err := s.await(ctx, sent)
		stored = len(messages) - len(again)
		if len(again) == 0 || to.isFinal(err) {
			return stored, err
		}
		if !loop.Sleep(ctx, wait) {
			return stored, fmt.Errorf("%w: %w", ErrNotStored, err)
		}
		for _, index := range again {
			s.acks.resend(sent, index, messages[index])
		}
	}
}

// await waits for all PubAcks until ctx ends, for ackBudget at most. It returns the indexes of
// messages that are not stored, and one reason: the first that is final, else the last.
func (s *Sender) await(ctx context.Context, sent *sending) (again []int, err error) {
	var why error
	select {
	case <-sent.done:
	case <-time.After(ackBudget):
		why = errNoPubAck
	case <-ctx.Done():
		why = context.Cause(ctx)
	}
	s.acks.unstored(sent, why, func(index int, why error) {
		again = append(again, index)
		if err == nil || !sent.to.isFinal(err) {
			err = why
		}
	})
	return again, err
}

// IsFinal reports whether sending the same message again cannot help. Two errors of the 4xx kind
// are not final: the server still stores the first copy, or has too many requests.
func IsFinal(err error) bool {
	var api *natsjs.APIError
	if errors.As(err, &api) && (api.ErrorCode == jetstream.ErrCodeDuplicateInProcess || api.Code == http.StatusTooManyRequests) {
		return false
	}
	return errors.Is(err, nats.ErrMaxPayload) || jetstream.IsLogFull(err) || jetstream.IsStorageExhausted(err) ||
		(api != nil && api.Code >= 400 && api.Code < 500)
}

// isFinal is IsFinal for a message to this stream, whose absence may be final, too.
func (e Expected) isFinal(err error) bool { return IsFinal(err) || e.absent && IsAbsent(err) }

// IsAbsent reports whether no stream listens to the subject.
func IsAbsent(err error) bool {
	return errors.Is(err, natsjs.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders)
}
