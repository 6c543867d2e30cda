package jetstream

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// positions remembers where each cursor stood, for the case that someone deletes a consumer by hand. Safe for concurrent use.
type positions struct {
	mu    sync.Mutex
	known map[route.TargetKey]position
}

// position is the ack floor of a cursor in one incarnation of its log, told from others by when it was made.
type position struct {
	log   time.Time
	floor uint64
}

func newPositions() *positions { return &positions{known: map[route.TargetKey]position{}} }

func (p *positions) remember(key route.TargetKey, log *jetstream.StreamInfo, floor uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[key] = position{log: log.Created, floor: floor}
}

// next returns the first sequence that the target may not have got. Where nothing is known that is the log's first event:
// twice beats never.
func (p *positions) next(key route.TargetKey, log *jetstream.StreamInfo) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.known[key]
	if !ok || !at.log.Equal(log.Created) {
		return 1
	}
	return min(at.floor, log.State.LastSeq) + 1
}

func (p *positions) forget(key route.TargetKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, key)
}
