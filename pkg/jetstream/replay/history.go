package replay

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// History is what a log has of a slice.
type History struct {
	// Lacks tells that the log has had earlier events that may have been meant.
	Lacks bool
	// From is when the first event was stored that the log has; the zero time when it has none.
	From time.Time
	// Last is the last sequence of the log, and First the first one that it has.
	First, Last uint64
}

func (r *reader) history(s Slice, address route.Address) History {
	state := r.stream.CachedInfo().State
	h := History{First: state.FirstSeq, Last: state.LastSeq}
	if state.Msgs > 0 {
		h.From = state.FirstTime.UTC()
	}
	trimmed := state.FirstSeq > max(address.Log.First, 1)
	h.Lacks = trimmed && (h.From.IsZero() || s.From.Before(h.From))
	return h
}
