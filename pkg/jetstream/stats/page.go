package stats

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Request asks for one page of each process, or of one.
type Request struct {
	// ID is the process that is asked; all of the role are when it is empty.
	ID string `json:"id,omitempty"`
	// After is the Next of the page before; empty for the first page.
	After string `json:"after,omitempty"`
	// Failures is how many of its last failures are told of each address and target.
	Failures int `json:"failures,omitempty"`
}

// Page is a part of what one process has counted. Of what was not counted yet there is no row.
type Page struct {
	Role route.Role `json:"role"`
	ID   string     `json:"id"`
	// Since is when the process began to count.
	Since time.Time `json:"since"`
	Rows  []Row     `json:"rows"`
	// Next is the Request.After of the next page; empty when this is the last.
	Next string `json:"next,omitempty"`
}

// Row is what is counted of one address or of one target.
type Row struct {
	// Key is that of the record in the routes bucket.
	Key     string                `json:"key"`
	Address *count.AddressNumbers `json:"address,omitempty"`
	Target  *count.TargetNumbers  `json:"target,omitempty"`
}

// pageBytes bounds the rows of a page.
const pageBytes = 64 << 10

// pageOf fills the page, from the request's place on, with what the routes have counted.
func pageOf(s route.Snapshot, asked Request, page *Page) {
	rows := map[string]func() Row{}
	for key, a := range s.Addresses {
		name := naming.AddressKey(key)
		rows[name] = func() Row { return Row{Key: name, Address: unlessZero(a.Counts.Read(asked.Failures))} }
	}
	for key, t := range s.Targets {
		name := naming.TargetKey(key)
		rows[name] = func() Row { return Row{Key: name, Target: unlessZero(t.Counts.Read(asked.Failures))} }
	}
	bytes := 0
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		if name <= asked.After {
			continue
		}
		row := rows[name]()
		if row.Address == nil && row.Target == nil {
			continue
		}
		encoded, _ := json.Marshal(row) // it is made of texts and numbers
		if bytes += len(encoded); bytes > pageBytes && len(page.Rows) > 0 {
			page.Next = page.Rows[len(page.Rows)-1].Key
			return
		}
		page.Rows = append(page.Rows, row)
	}
}

// unlessZero returns nil for what was not counted.
func unlessZero[N interface{ IsZero() bool }](n N) *N {
	if n.IsZero() {
		return nil
	}
	return &n
}
