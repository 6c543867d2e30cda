package trim

import (
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Gauge counts what this process stores in each log, and nudges the trimmers when that is much. A
// nudge is a core NATS message: if it is lost, the log is trimmed at its next regular time.
type Gauge struct {
	client *jetstream.Client

	mu       sync.Mutex
	stored   map[route.Key]int64
	lastFull map[route.Key]time.Time
}

// NewGauge returns a gauge of what this process stores.
func NewGauge(c *jetstream.Client) *Gauge {
	return &Gauge{client: c, stored: map[route.Key]int64{}, lastFull: map[route.Key]time.Time{}}
}

// NudgeShare is the share of a log's limit, 1/NudgeShare, that is stored between two nudges.
const NudgeShare = 8

// Add counts bytes that were stored in the log of the address.
func (g *Gauge) Add(address route.Address, bytes int) {
	g.mu.Lock()
	g.stored[address.Key] += int64(bytes)
	due := g.stored[address.Key] > max(address.Log.MaxBytes/NudgeShare, 1)
	if due {
		g.stored[address.Key] = 0
	}
	g.mu.Unlock()
	if due {
		_ = g.client.Conn().Publish(g.client.Names().TrimSubject(address.Key), nil)
	}
}

// Full nudges the trimmers because the log has no room for an event, once in trimPause at most.
func (g *Gauge) Full(address route.Address) {
	g.mu.Lock()
	due := time.Since(g.lastFull[address.Key]) > trimPause
	if due {
		g.lastFull[address.Key] = time.Now()
	}
	g.mu.Unlock()
	if due {
		_ = g.client.Conn().Publish(g.client.Names().TrimSubject(address.Key), []byte(NudgeFull))
	}
}
