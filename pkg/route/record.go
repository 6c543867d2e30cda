package route

import (
	"encoding/json"
	"fmt"
	"time"
)

// Record is one value in the routes bucket: an address, a target, or the tombstone of one.
//
// A route ends only by a tombstone of its owner. A key that is simply gone (deleted by hand, expired, in a bucket that was
// restored from a backup) says nothing, and whoever knew the route keeps it.
type Record struct {
	Address *Address `json:"address,omitempty"`
	Target  *Target  `json:"target,omitempty"`
	// DeletedAt is set on a tombstone; Address or Target then holds what was there last.
	DeletedAt *time.Time `json:"deletedAt,omitempty"`
	// Sweeping is set on a tombstone, by compare-and-set, at the time when the removal of the streams or consumers behind the route
	// began: from then until Swept nobody makes them anew.
	Sweeping *time.Time `json:"sweeping,omitempty"`
	// Swept is set on a tombstone once the streams or consumers behind the route are removed.
	Swept bool `json:"swept,omitempty"`
}

// Owner returns who wrote the record and alone may change it.
func (r Record) Owner() string {
	switch {
	case r.Address != nil:
		return r.Address.Owner
	case r.Target != nil:
		return r.Target.Owner
	}
	return ""
}

// recordFormat is raised when a record gets a field that a reader must not pass over, such as a new kind of filter: one who does not
// know the format rejects the record, and what he knew before stays in force.
const recordFormat = 1

// stored is a record's form in the bucket.
type stored struct {
	Format int `json:"format"`
	Record
}

// Encode returns the record's form in the bucket.
func (r Record) Encode() ([]byte, error) { return json.Marshal(stored{recordFormat, r}) }

// DecodeRecord reads a record; ErrRecord when the bytes are none, or of a later format.
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
