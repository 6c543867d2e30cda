package pull

import (
	"sync"
	"sync/atomic"
)

const (
	// mostAsked bounds what all sources of a process have asked for and not got, in bytes. A server cuts a connection off for which
	// 64 MiB wait (nats-server, max_pending).
	mostAsked = 32 << 20
	// DefaultBudget is the budget of a process that does not say how much memory it may use.
	DefaultBudget = 128 << 20
)

// Budget bounds the bytes of messages that the sources of a process have asked for and hold. Safe for concurrent use.
type Budget struct {
	limit int64
	// asked is what the server may send yet, held what has come and is not settled.
	asked, held atomic.Int64

	// waiting are those who were refused, and are told when there is room again.
	waiting atomic.Bool
	mu      sync.Mutex
	refused map[*Source]struct{}
}

// NewBudget returns one of so many bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit, refused: map[*Source]struct{}{}} }

// Limit is how many bytes there are in all.
func (b *Budget) Limit() int64 { return b.limit }

// Bytes are those that were asked for and have not come, and those that are held.
func (b *Budget) Bytes() (asked, held int64) { return b.asked.Load(), b.held.Load() }

// ask reserves up to want bytes for a request of the source, and not fewer than least; it returns 0 when there are not as many. The
// source is told, on its channel more, when it may try again.
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

// force reserves bytes that there may not be.
func (b *Budget) force(bytes int64) { b.asked.Add(bytes) }

// arrived turns bytes that were asked for into bytes that are held.
func (b *Budget) arrived(bytes int64) {
	b.held.Add(bytes)
	b.asked.Add(-bytes)
}

// unask gives back bytes that no longer come.
func (b *Budget) unask(bytes int64) {
	b.asked.Add(-bytes)
	b.tell()
}

// settled gives back bytes that were held.
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
