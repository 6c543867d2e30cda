package letters

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/codec"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Letter is one dead letter.
type Letter struct {
	codec.Letter
	Address route.Key
	// Place is the sequence of the letter in the dead-letter stream of the address.
	Place uint64
	// GivenUp is when the letter was stored, right after the last failure.
	GivenUp time.Time
	// Target is the namespace and the name of the target, as people write the name.
	Target string

	// live is the target; nil when that is gone.
	live   *route.Target
	stream natsjs.Stream
}

// letterOf reads a message of the dead-letter stream.
func (d *letterStream) letterOf(m natsjs.Msg, place *natsjs.MsgMetadata) Letter {
	l := Letter{
		Letter:  codec.DecodeLetter(&nats.Msg{Subject: m.Subject(), Header: m.Headers(), Data: m.Data()}, place.Sequence.Stream),
		Address: d.address.Key, Place: place.Sequence.Stream, GivenUp: place.Timestamp.UTC(), stream: d.stream,
	}
	l.Target = l.TargetName
	if target, known := d.targets[m.Subject()]; known {
		l.live = &target
		l.Target = target.Key.Namespace + "/" + target.DisplayName()
	}
	return l
}

// isTarget tells whether the name, with or without the namespace, is that of the letter's target.
func (l Letter) isTarget(name string) bool {
	_, bare, _ := strings.Cut(l.Target, "/")
	return name == l.Target || name == bare || l.live != nil && name == l.live.Key.Name
}

// Obstacle is why the letter cannot be retried; nil when it can.
func (l Letter) Obstacle() error {
	switch {
	case l.Unreadable != nil, l.Event.Attr(event.Type) == codec.UnreadableType && !l.Reference:
		return ErrUnreadable
	case l.Reference:
		return ErrReference
	case l.live == nil:
		return ErrNoTarget
	}
	return nil
}

// Response is the head of the last response, as text.
func (l Letter) Response() string { return strings.ToValidUTF8(string(l.Failure.Body), "\uFFFD") }

// MarshalJSON writes what Knative's users know: the address and the target by name, and the event as
// a CloudEvent in the JSON format.
func (l Letter) MarshalJSON() ([]byte, error) {
	structured, _ := event.Structured(l.Event)
	obstacle := ""
	if err := l.Obstacle(); err != nil {
		obstacle = err.Error()
	}
	return json.Marshal(struct {
		Address     route.Key       `json:"address"`
		Letter      uint64          `json:"letter"`
		Target      string          `json:"target"`
		Reason      string          `json:"reason"`
		Code        int             `json:"code"`
		Destination string          `json:"destination"`
		Attempts    int             `json:"attempts"`
		Response    string          `json:"response,omitempty"`
		Stored      time.Time       `json:"stored,omitzero"`
		GivenUp     time.Time       `json:"givenUp"`
		Run         uint64          `json:"run"`
		NoRetry     string          `json:"noRetry,omitempty"`
		HeldBy      string          `json:"heldBy,omitempty"`
		Sequence    uint64          `json:"sequence,omitempty"`
		DataBytes   int             `json:"dataBytes,omitempty"`
		Event       json.RawMessage `json:"event"`
	}{
		l.Address, l.Place, l.Target, cmp.Or(l.Failure.Reason, "unknown"), l.Failure.Code, l.Failure.Destination,
		l.Failure.Attempts, l.Response(), l.Stored, l.GivenUp, l.Run, obstacle, l.Stream, l.Sequence, l.DataBytes, structured,
	})
}
