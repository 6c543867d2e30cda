package park

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/publish"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Source: nats-server server/errors.json.
const (
	errCodeMessageTooLarge natsjs.ErrorCode = 10054
	errCodeHeaderTooLarge  natsjs.ErrorCode = 10097
)

// What the ingress takes fits into a message with all that becomes of it (see workBytes). Larger is only what NATS publishers have
// sent to a Channel's own subjects, and what was stored before the server's max_payload was lowered.

// workMessage returns the work as a message with these headers besides. A message may have more data than headers: attributes that do
// not fit into headers go into the data. Error: dispatch.ErrTooLarge.
func (s *Store) workMessage(w dispatch.Work, besides nats.Header) (*nats.Msg, error) {
	for _, encode := range []func(dispatch.Work) *nats.Msg{codec.EncodeWork, codec.EncodeStructured} {
		m := encode(w)
		maps.Copy(m.Header, besides)
		if size := event.HeaderBytes(m.Header); size <= publish.MaxHeaderBytes && int64(size+len(m.Data)) <= s.client.MaxPayload() {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%w: %d bytes of data, where the server takes %d in all", dispatch.ErrTooLarge, len(w.Event.Data), s.client.MaxPayload())
}

// parkedMessage is the schedule that sends the work to the target at notBefore. Its subject is made of the work's identity, so that
// no two of them ever replace each other, and a second parking of the same work replaces the first.
//
// Its id is of the message that brought the work, and not of the time: when the PubAck of a first try is lost, and what that has
// stored was even sent meanwhile, a second one stores nothing. What was sent then lives on as a message of its own, which can be
// parked again.
func (s *Store) parkedMessage(target route.Target, w dispatch.Work, notBefore time.Time) (*nats.Msg, error) {
	id := codec.IdentityOf(target, w)
	m, err := s.workMessage(w, nats.Header{
		"Nats-Schedule":        {"@at " + notBefore.UTC().Format(time.RFC3339Nano)},
		"Nats-Schedule-Target": {s.client.Names().DirectedSubject(target.Key)},
		natsjs.MsgIDHeader:     {naming.MessageID(id, "park "+strconv.FormatUint(w.Directed, 10))},
	})
	if err == nil {
		m.Subject = s.client.Names().ParkedSubject(id)
	}
	return m, err
}

// deadLetters yields the forms that a dead letter can have, the best one first: whole; without the event's data, of which the place in
// the log and the size are told instead; without its attributes too. Those that are too large are left out.
//
// The reference holds for as long as the log has the event, which may be trimmed from the moment that all targets have got it.
func (s *Store) deadLetters(address route.Address, target route.Target, w dispatch.Work) iter.Seq[*nats.Msg] {
	whole := nats.Header{
		codec.HeaderTarget: {target.Key.Namespace + "/" + target.Key.Name},
		natsjs.MsgIDHeader: {naming.MessageID(codec.IdentityOf(target, w), "dead")},
	}
	reference := maps.Clone(whole)
	reference[codec.HeaderDataBytes] = []string{strconv.Itoa(len(w.Event.Data))}
	if w.Sequence&codec.SentByHand == 0 { // else it was in the directed stream, which keeps nothing
		reference[codec.HeaderStream] = []string{s.client.LogOf(address)}
	}
	withoutData, withoutEvent := w, w
	withoutData.Event.Data, withoutEvent.Event = nil, event.Event{}
	return func(yield func(*nats.Msg) bool) {
		for _, form := range []struct {
			work    dispatch.Work
			besides nats.Header
		}{{w, whole}, {withoutData, reference}, {withoutEvent, reference}} {
			m, err := s.workMessage(form.work, form.besides)
			if err != nil {
				continue
			}
			m.Subject = s.client.Names().DeadLetterSubject(target.Key)
			if !yield(m) {
				return
			}
		}
	}
}

// isReference tells whether the dead letter lacks something of its event.
func isReference(m *nats.Msg) bool { return m.Header.Get(codec.HeaderDataBytes) != "" }

// isTooLarge reports whether a message was refused for its size, by the client or, for a stream's own limit, by the server.
func isTooLarge(err error) bool {
	var api *natsjs.APIError
	return errors.Is(err, nats.ErrMaxPayload) ||
		errors.As(err, &api) && (api.ErrorCode == errCodeMessageTooLarge || api.ErrorCode == errCodeHeaderTooLarge)
}
