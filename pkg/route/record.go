package route

import (
	"encoding/json"
	"fmt"
	"time"
)

// Record is one value in the routes bucket: an address, a target, or a tombstone of either.
//
// A route ends only by a tombstone of its owner. A key that is missing (deleted by hand, expired,
// or the bucket restored from a backup) ends nothing: whoever knew the route keeps it.
type Record struct {
	Address *Address `json:"address,omitempty"`
	Target  *Target  `json:"target,omitempty"`
	// DeletedAt is set on a tombstone; Address or Target is then the last one.
	DeletedAt *time.Time `json:"deletedAt,omitempty"`
	// Sweeping is set on a tombstone, by compare-and-set, when the removal of the route's streams
	// or consumers began. Until Swept nobody creates them again (I6).
	Sweeping *time.Time `json:"sweeping,omitempty"`
	// Swept is set on a tombstone once the route's streams or consumers are removed.
	Swept bool `json:"swept,omitempty"`
}

// Owner returns the owner, who alone may change the record.
func (r Record) Owner() string {
	switch {
	case r.Address != nil:
		return r.Address.Owner
	case r.Target != nil:
		return r.Target.Owner
	}
	return ""
}

// recordFormat is raised when records get a field that readers must not ignore, such as a new kind
// of filter. A reader rejects records of a later format, and keeps what it knew before.
const recordFormat = 1

// stored is a record's form in the bucket.
type stored struct {
	Format int `json:"format"`
	Record
}

// Encode returns the record's form in the bucket.
func (r Record) Encode() ([]byte, error) { return json.Marshal(stored{recordFormat, r}) }

// DecodeRecord reads a record; ErrRecord if the bytes are none, or of a later format.
func DecodeRecord(data []byte) (Record, error) {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return Record{}, fmt.Errorf("%w: %v", ErrRecord, err) //nolint:errorlint // the JSON error is detail, not a cause to match
	}
	if s.Format > recordFormat {
		return Record{}, fmt.Errorf("%w: it has format %d, and this version reads formats up to %d", ErrRecord, s.Format, recordFormat)
	}
	r := s.Record
	if (r.Address == nil) == (r.Target == nil) {
		return Record{}, fmt.Errorf("%w: it must hold either an address or a target", ErrRecord)
	}
	return r, nil
}
