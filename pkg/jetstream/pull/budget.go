package pull

import (
	"sync"
	"sync/atomic"
)

const (
	// mostAsked bounds the bytes that all sources of a process have requested and not received. A
	// server closes a connection for which 64 MiB wait (nats-server, max_pending).
	mostAsked = 32 << 20
	// DefaultBudget is the budget of a process that does not say how much memory it may use.
	DefaultBudget = 128 << 20
)

// Budget bounds the bytes that the sources of a process request and hold. Safe for concurrent use.
type Budget struct {
	limit int64
	// asked counts bytes that are requested and not received, held those received and not settled.
	asked, held atomic.Int64

	// refused are the sources to tell when there is room again; waiting is set if there are any.
	waiting atomic.Bool
	mu      sync.Mutex
	refused map[*Source]struct{}
}

// NewBudget returns a budget of so many bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit, refused: map[*Source]struct{}{}} }

// Limit returns the budget in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Bytes returns the bytes that are requested and not received, and those received and not settled.
func (b *Budget) Bytes() (asked, held int64) { return b.asked.Load(), b.held.Load() }

// ask reserves between least and want bytes for a request of the source, and returns how many; 0 if
// fewer than least are free. Then tell wakes the source when it may try again.
func (b *Budget) ask(s *Source, want, least int64) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := b.asked.Load()
	granted := min(want, mostAsked-asked, b.limit-asked-b.held.Load())
	if granted < least {
		b.refused[s] = struct{}{}
		b.waiting.Store(true)
		return 0
	}
	b.asked.Add(granted)
	return granted
}

// force reserves bytes even if the budget is used up.
func (b *Budget) force(bytes int64) { b.asked.Add(bytes) }

// arrived turns requested bytes into held ones.
func (b *Budget) arrived(bytes int64) {
	b.held.Add(bytes)
	b.asked.Add(-bytes)
}

// unask frees requested bytes that no longer come.
func (b *Budget) unask(bytes int64) {
	b.asked.Add(-bytes)
	b.tell()
}

// settled frees held bytes.
func (b *Budget) settled(bytes int64) {
	b.held.Add(-bytes)
	b.tell()
}

func (b *Budget) tell() {
	if !b.waiting.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.refused {
		s.AskMore()
	}
	clear(b.refused)
	b.waiting.Store(false)
}

// forget ends the wait of a source that is stopped.
func (b *Budget) forget(s *Source) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.refused, s)
}
