package trim

import (
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Gauge counts what this process puts into each log, and nudges the trimmers when that is much. A nudge is a hint on core
// NATS: a lost one costs nothing but a wait for the trimmers' clock.
type Gauge struct {
	client *jetstream.Client

	mu    sync.Mutex
	logs  map[route.Key]int64
	fulls map[route.Key]time.Time
}

// NewGauge returns a gauge of what this process stores.
func NewGauge(c *jetstream.Client) *Gauge {
	return &Gauge{client: c, logs: map[route.Key]int64{}, fulls: map[route.Key]time.Time{}}
}

// NudgeShare of a log's limit is stored between two nudges.
const NudgeShare = 8

// Add counts bytes that were stored in the log of the address.
func (g *Gauge) Add(address route.Address, bytes int) {
	g.mu.Lock()
	g.logs[address.Key] += int64(bytes)
	due := g.logs[address.Key] > max(address.Log.MaxBytes/NudgeShare, 1)
	if due {
		g.logs[address.Key] = 0
	}
	g.mu.Unlock()
	if due {
		_ = g.client.Conn().Publish(g.client.Names().TrimSubject(address.Key), nil)
	}
}

// Full asks for a trim on behalf of a sender who finds no room, as often as a trimmer heeds it.
func (g *Gauge) Full(address route.Address) {
	g.mu.Lock()
	due := time.Since(g.fulls[address.Key]) > trimPause
	if due {
		g.fulls[address.Key] = time.Now()
	}
	g.mu.Unlock()
	if due {
		_ = g.client.Conn().Publish(g.client.Names().TrimSubject(address.Key), []byte(NudgeFull))
	}
}
