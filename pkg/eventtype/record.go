// Package eventtype notes which types of events the data plane sees, once each, so that a controller can describe them as
// EventType objects. It never holds up an event: what cannot be noted now is noted when the type is seen again.
package eventtype

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// MaxPerAddress bounds the EventTypes of one address, since whoever may send to it can make up any number of types.
	MaxPerAddress = 1000
	// RecordTTL is how long a record stays when nobody writes it again: a controller may be away as long.
	RecordTTL = 4 * time.Hour
	// MaxTextBytes bounds type, source and schema together; longer ones are not recorded.
	MaxTextBytes = 1024
)

// ID tells one record from another. It is comparable.
type ID struct {
	Address route.Key `json:"address"`
	// AddressUID is that of the resource which the address was made from.
	AddressUID string `json:"addressUID,omitempty"`
	// Target is whose subscriber replied with such an event; zero for events that came in from outside.
	Target Target `json:"target,omitzero"`
	Type   string `json:"type"`
	Source string `json:"source"`
}

// Target is the resource that a target was made from.
type Target struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
}

// Record is a type of events that was seen.
type Record struct {
	ID
	// Schema and SpecVersion are those of the event that was seen first.
	Schema      string `json:"schema,omitempty"`
	SpecVersion string `json:"specVersion"`
}

// Of returns the record of an event of an address.
func Of(a route.Address, e event.Event) Record {
	return Record{
		ID:          ID{Address: a.Key, AddressUID: a.UID, Type: e.Attr(event.Type), Source: e.Attr(event.Source)},
		Schema:      cmp.Or(e.Attr(event.DataSchema), e.Attr(event.SchemaURL)),
		SpecVersion: e.Attr(event.SpecVersion),
	}
}

// RepliedBy returns the record of the event as a reply of the target's subscriber.
func (r Record) RepliedBy(t route.Target) Record {
	r.Target = Target{Namespace: t.Key.Namespace, Name: t.DisplayName(), UID: t.UID}
	return r
}

// Key is the record's key in the bucket.
func (r Record) Key() string {
	return naming.EventTypeKey(r.Address, r.AddressUID, r.Target.Namespace, r.Target.Name, r.Target.UID, r.Type, r.Source)
}

// Encode returns the record's form in the bucket.
func (r Record) Encode() ([]byte, error) { return json.Marshal(r) }

// Decode reads the record that stands at the key; ErrRecord when there is none that belongs there.
func Decode(key string, data []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %v", ErrRecord, err) //nolint:errorlint // the JSON error is detail, not a cause to match
	}
	if r.Key() != key {
		return Record{}, fmt.Errorf("%w: it stands at %s and belongs at %s", ErrRecord, key, r.Key())
	}
	return r, nil
}

// textBytes is how much of the record others have made up.
func (r Record) textBytes() int {
	return len(r.Type) + len(r.Source) + len(r.Schema) + len(r.SpecVersion)
}
