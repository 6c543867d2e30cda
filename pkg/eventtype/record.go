// Package eventtype records each type of event that the data plane sees, so that a controller can
// make EventType objects. It never delays an event; a type may be recorded only when it is seen
// again.
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
	// MaxPerAddress bounds the records of one address: a sender can make up any number of types.
	MaxPerAddress = 1000
	// RecordTTL is the lifetime of a record after each write; a controller may be away as long.
	RecordTTL = 4 * time.Hour
	// MaxTextBytes bounds type, source and schema together; longer ones are not recorded.
	MaxTextBytes = 1024
)

// ID identifies a record. It is comparable.
type ID struct {
	Address route.Key `json:"address"`
	// AddressUID is the UID of the address's resource.
	AddressUID string `json:"addressUID,omitempty"`
	// Target is the target whose subscriber replied with the event; zero for other events.
	Target Target `json:"target,omitzero"`
	Type   string `json:"type"`
	Source string `json:"source"`
}

// Target is the resource of a target.
type Target struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
}

// Record is an event type that was seen.
type Record struct {
	ID
	// Schema and SpecVersion are those of the first event.
	Schema      string `json:"schema,omitempty"`
	SpecVersion string `json:"specVersion"`
}

// Of returns the record of an event that came in at an address.
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

// Decode reads the record at the key; ErrRecord if the data is not the record of that key.
func Decode(key string, data []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %v", ErrRecord, err) //nolint:errorlint // the JSON error is detail, not a cause to match
	}
	if r.Key() != key {
		return Record{}, fmt.Errorf("%w: it is at the key %s and belongs to %s", ErrRecord, key, r.Key())
	}
	return r, nil
}

// textBytes returns the size of the record's text, all of which senders choose.
func (r Record) textBytes() int {
	return len(r.Type) + len(r.Source) + len(r.Schema) + len(r.SpecVersion)
}
