package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Addresses finds the address of a target.
type Addresses interface {
	Address(key route.Key) (route.Address, bool)
}

// Store makes the outcomes of deliveries durable. It is dispatch.Store.
type Store struct {
	client    *Client
	addresses Addresses
	fill      *fillGauge
	directory *directory

	mu     sync.Mutex
	parked map[route.Key]parkedSize
}

// parkedSize is how many bytes the directed stream of an address held when it was last asked.
type parkedSize struct {
	bytes uint64
	at    time.Time
}

// NewStore returns a store for the targets of these addresses, and the opener that goes with it: what one parks, the other
// hears of at once.
func (c *Client) NewStore(addresses Addresses) (*Store, *Opener) {
	d := newDirectory(c)
	store := &Store{
		client: c, addresses: addresses, fill: newFillGauge(c), directory: d, parked: map[route.Key]parkedSize{},
	}
	return store, &Opener{client: c, directory: d, sharing: newSharing(c, store.Park)}
}

// Reply appends a reply to the log of the target's address. One that refuses events refuses replies too: they are checked like
// any event that is sent to it.
func (s *Store) Reply(ctx context.Context, target route.Target, sequence uint64, reply event.Event) error {
	address, err := s.address(target)
	if err != nil {
		return err
	}
	if address.Refuse != "" {
		return fmt.Errorf("%w: %s", dispatch.ErrReplyForbidden, address.Refuse)
	}
	msg, err := s.client.eventMessage(address.Key, ingress.Message{
		ID: naming.MessageID(target.Key, sequence, "reply"), Event: reply,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", dispatch.ErrReplyRefused, err)
	}
	err = s.publish(ctx, msg, isFinal)
	s.fill.add(address, msg.Size())
	switch {
	case isLogFull(err) || isStorageExhausted(err):
		s.fill.full(address)
		return fmt.Errorf("%w: %w", dispatch.ErrNoRoom, err)
	case isFinal(err):
		return fmt.Errorf("%w: %w", dispatch.ErrReplyRefused, err)
	}
	return err
}

// DeadLetter keeps the event in the address's dead-letter stream, which is made on first use.
func (s *Store) DeadLetter(ctx context.Context, target route.Target, work dispatch.Work) error {
	address, err := s.address(target)
	if err != nil {
		return err
	}
	msg := encodeWork(work)
	msg.Subject = s.client.names.DeadLetterSubject(target.Key)
	msg.Header[headerTarget] = []string{target.Key.Namespace + "/" + target.Key.Name}
	msg.Header[jetstream.MsgIDHeader] = []string{naming.MessageID(target.Key, work.Sequence, "dead")}
	err = s.publish(ctx, msg, isFinalOrAbsent)
	if isAbsent(err) {
		if err = s.client.createIfAbsent(ctx, deadLetterConfig(s.client.names, address)); err == nil {
			err = s.publish(ctx, msg, isFinal)
		}
	}
	return err
}

// Park stores the work in the directed stream: as a schedule that the server fires at notBefore. The schedule's subject is
// made of target and sequence, so that parking the same work again replaces it.
func (s *Store) Park(ctx context.Context, target route.Target, work dispatch.Work, notBefore time.Time) error {
	address, err := s.address(target)
	if err != nil {
		return err
	}
	if err := s.roomToPark(ctx, address); err != nil {
		return err
	}
	if err := s.directory.ensure(ctx, address, target); err != nil {
		return err
	}
	msg := encodeWork(work)
	msg.Subject = s.client.names.ParkedSubject(target.Key, work.Sequence)
	schedule := "@at " + notBefore.UTC().Format(time.RFC3339Nano)
	msg.Header["Nats-Schedule"] = []string{schedule}
	msg.Header["Nats-Schedule-Target"] = []string{s.client.names.DirectedSubject(target.Key)}
	// The id is of this one call: a second try of it is stored once, and a later parking of the same work is stored too.
	msg.Header[jetstream.MsgIDHeader] = []string{naming.MessageID(target.Key, work.Sequence, "park "+schedule)}
	err = s.publish(ctx, msg, isFinalOrAbsent)
	if isAbsent(err) {
		s.directory.forget(target.Key) // it was deleted by hand; the next try makes it again
	}
	if err == nil {
		s.takesRoom(address.Key, msg.Size())
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
		return route.Address{}, fmt.Errorf("%w: %s is gone", ErrNotStored, target.Key.Address)
	}
	return address, nil
}

func (s *Store) publish(ctx context.Context, msg *nats.Msg, final func(error) bool) error {
	ctx, cancel := context.WithTimeout(ctx, publishBudget)
	defer cancel()
	if _, err := s.client.publish(ctx, []*nats.Msg{msg}, final); err != nil {
		return fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	return nil
}

// roomToPark keeps what is parked for an address below its log's limit. The directed stream cannot have a limit of its own
// (see directedConfig), so its size is asked for, once a second at most.
func (s *Store) roomToPark(ctx context.Context, address route.Address) error {
	s.mu.Lock()
	size, known := s.parked[address.Key]
	s.mu.Unlock()
	if !known || time.Since(size.at) > time.Second {
		size = parkedSize{at: time.Now()}
		stream, err := s.client.js.Stream(ctx, s.client.names.DirectedStream(address.Key))
		if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("%w: %w", ErrNotStored, err)
		}
		if err == nil {
			size.bytes = stream.CachedInfo().State.Bytes
		}
		s.mu.Lock()
		s.parked[address.Key] = size
		s.mu.Unlock()
	}
	if address.Log.MaxBytes > 0 && size.bytes > uint64(address.Log.MaxBytes) { //nolint:gosec // a positive int64 fits
		return fmt.Errorf("%w: %s", ErrParkFull, address.Key)
	}
	return nil
}
