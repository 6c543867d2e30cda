package park

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Addresses finds the address of a target.
type Addresses interface {
	Address(key route.Key) (route.Address, bool)
}

// Store makes the outcomes of deliveries durable. It is dispatch.Store.
type Store struct {
	client    *jetstream.Client
	sender    *publish.Sender
	addresses Addresses
	fill      *trim.Gauge

	mu     sync.Mutex
	parked map[route.Key]parkedSize
}

// parkedSize is how many bytes the directed stream of an address held when it was last asked.
type parkedSize struct {
	bytes uint64
	at    time.Time
	// ahead is how much NATS's clock was ahead of ours.
	ahead time.Duration
}

// New returns a store for the targets of these addresses, which sends with s.
func New(c *jetstream.Client, s *publish.Sender, addresses Addresses) *Store {
	return &Store{client: c, sender: s, addresses: addresses, fill: trim.NewGauge(c), parked: map[route.Key]parkedSize{}}
}

// Reply appends a reply to the log of the target's address. One that refuses events refuses replies too: they are checked like
// any event that is sent to it.
func (s *Store) Reply(ctx context.Context, target route.Target, work dispatch.Work, reply event.Event) error {
	address, err := s.address(target)
	if err != nil {
		return err
	}
	if address.Refuse != "" {
		return fmt.Errorf("%w: %s", dispatch.ErrReplyForbidden, address.Refuse)
	}
	log := publish.ExpectLog(s.client, address)
	msg, err := s.sender.EventMessage(log, address.Key, ingress.Message{
		ID: naming.MessageID(codec.IdentityOf(target, work), "reply"), Event: reply,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", dispatch.ErrReplyRefused, err)
	}
	err = s.publish(ctx, log, msg)
	s.fill.Add(address, msg.Size())
	switch {
	case jetstream.IsLogFull(err) || jetstream.IsStorageExhausted(err):
		s.fill.Full(address)
		return fmt.Errorf("%w: %w", dispatch.ErrNoRoom, err)
	case publish.IsFinal(err):
		return fmt.Errorf("%w: %w", dispatch.ErrReplyRefused, err)
	}
	return err
}

// DeadLetter keeps the event in the address's dead-letter stream; when it is too large for that, as much of it as fits.
func (s *Store) DeadLetter(ctx context.Context, target route.Target, work dispatch.Work) error {
	address, err := s.address(target)
	if err != nil {
		return err
	}
	kept := publish.ExpectStream(s.client.Names().DeadLetterStream(address.Key))
	for msg := range s.deadLetters(address, target, work) {
		if err = s.publish(ctx, kept, msg); isTooLarge(err) {
			continue
		}
		if jetstream.IsLogFull(err) || jetstream.IsStorageExhausted(err) {
			return fmt.Errorf("%w: %w", dispatch.ErrLettersFull, err)
		}
		if err == nil && isReference(msg) {
			s.client.Logger().Warn("dead letter is too large, a reference to its event is kept",
				"target", target.Key.String(), "sequence", work.Sequence, "bytes", len(work.Event.Data))
		}
		return err
	}
	return fmt.Errorf("%w: %w", dispatch.ErrTooLarge, err)
}

// Park stores the work in the directed stream: as a schedule that the server fires at notBefore (see parkedMessage).
func (s *Store) Park(ctx context.Context, target route.Target, work dispatch.Work, notBefore time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, jetstream.PublishBudget)
	defer cancel()
	address, err := s.address(target)
	if err != nil {
		return err
	}
	directed, err := s.roomToPark(ctx, address)
	if err != nil {
		return err
	}
	// The schedule is by NATS's clock: where ours is behind, retries would be used up at once.
	msg, err := s.parkedMessage(target, work, notBefore.Add(directed.ahead))
	if err != nil {
		return err
	}
	parked := publish.ExpectStream(s.client.Names().DirectedStream(address.Key))
	if err = s.publish(ctx, parked, msg); err == nil {
		s.takesRoom(address.Key, msg.Size())
	}
	if isTooLarge(err) {
		return fmt.Errorf("%w: %w", dispatch.ErrTooLarge, err)
	}
	return err
}

// takesRoom counts what is parked until the size is asked for again: in a second, much can be.
func (s *Store) takesRoom(address route.Key, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := s.parked[address]
	size.bytes += uint64(bytes) //nolint:gosec // never negative
	s.parked[address] = size
}

func (s *Store) address(target route.Target) (route.Address, error) {
	address, ok := s.addresses.Address(target.Key.Address)
	if !ok {
		return route.Address{}, fmt.Errorf("%w: %s is gone", publish.ErrNotStored, target.Key.Address)
	}
	return address, nil
}

func (s *Store) publish(ctx context.Context, to publish.Expected, msg *nats.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, jetstream.PublishBudget)
	defer cancel()
	to.Mark(msg)
	if _, err := s.sender.Send(ctx, to, []*nats.Msg{msg}); err != nil {
		return fmt.Errorf("%w: %w", publish.ErrNotStored, err)
	}
	return nil
}

// roomToPark keeps what is parked for an address below its log's limit. The directed stream cannot have a limit of its own
// (see directedConfig), so its size is asked for, once a second at most.
func (s *Store) roomToPark(ctx context.Context, address route.Address) (parkedSize, error) {
	s.mu.Lock()
	size, known := s.parked[address.Key]
	s.mu.Unlock()
	if !known || time.Since(size.at) > time.Second {
		size = parkedSize{at: time.Now()}
		asked := s.client.Timing().Now()
		stream, err := s.client.JetStream().Stream(ctx, s.client.Names().DirectedStream(address.Key))
		if err != nil && !errors.Is(err, natsjs.ErrStreamNotFound) {
			return size, fmt.Errorf("%w: %w", publish.ErrNotStored, err)
		}
		if err == nil {
			size.bytes = stream.CachedInfo().State.Bytes
			size.ahead = stream.CachedInfo().TimeStamp.Sub(asked)
		}
		s.mu.Lock()
		s.parked[address.Key] = size
		s.mu.Unlock()
	}
	if address.Log.MaxBytes > 0 && size.bytes > uint64(address.Log.MaxBytes) { //nolint:gosec // a positive int64 fits
		return size, fmt.Errorf("%w: %s", dispatch.ErrParkFull, address.Key)
	}
	return size, nil
}

// Direct sends an event to this target alone; it is stored when Direct returns, and once however often the id is used within
// the duplicate window. Errors: ErrParkFull, ErrNotStored.
func (s *Store) Direct(ctx context.Context, target route.Target, id string, e event.Event) error {
	address, err := s.address(target)
	if err != nil {
		return err
	}
	if _, err := s.roomToPark(ctx, address); err != nil {
		return err
	}
	msg := &nats.Msg{Subject: s.client.Names().DirectedSubject(target.Key), Header: nats.Header(event.ToNATS(e)), Data: e.Data}
	msg.Header[natsjs.MsgIDHeader] = []string{id}
	return s.publish(ctx, publish.ExpectStream(s.client.Names().DirectedStream(address.Key)).Awaited(), msg)
}
