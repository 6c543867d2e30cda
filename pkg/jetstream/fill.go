package jetstream

import (
	"context"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// fillGauge counts what this process puts into each log, and nudges the trimmers when that is much. A nudge is a hint on core
// NATS: a lost one costs nothing but a wait for the trimmers' clock.
type fillGauge struct {
	client *Client

	mu    sync.Mutex
	logs  map[route.Key]int64
	fulls map[route.Key]time.Time
}

func newFillGauge(c *Client) *fillGauge {
	return &fillGauge{client: c, logs: map[route.Key]int64{}, fulls: map[route.Key]time.Time{}}
}

// nudgeShare of a log's limit is stored between two nudges.
const nudgeShare = 8

func (g *fillGauge) add(address route.Address, bytes int) {
	g.mu.Lock()
	g.logs[address.Key] += int64(bytes)
	due := g.logs[address.Key] > max(address.Log.MaxBytes/nudgeShare, 1)
	if due {
		g.logs[address.Key] = 0
	}
	g.mu.Unlock()
	if due {
		_ = g.client.conn.Publish(g.client.names.TrimSubject(address.Key), nil)
	}
}

// full asks for a trim on behalf of a sender who finds no room, as often as a trimmer heeds it.
func (g *fillGauge) full(address route.Address) {
	g.mu.Lock()
	due := time.Since(g.fulls[address.Key]) > trimPause
	if due {
		g.fulls[address.Key] = time.Now()
	}
	g.mu.Unlock()
	if due {
		_ = g.client.conn.Publish(g.client.names.TrimSubject(address.Key), []byte(nudgeFull))
	}
}

// holderCache finds out which target holds a full log, without asking the server for every event that it refuses.
type holderCache struct {
	client *Client

	mu    sync.Mutex
	known map[route.Key]*holderAt
}

// holderAt is who held one log when it was last asked. Its lock is held while asking.
type holderAt struct {
	mu     sync.Mutex
	target *route.TargetKey
	at     time.Time
}

const holderFresh = 2 * time.Second

func newHolderCache(c *Client) *holderCache {
	return &holderCache{client: c, known: map[route.Key]*holderAt{}}
}

// find returns the target at the log's lowest cursor; nil when the server does not say in time. Callers for the same log
// wait for one answer.
func (h *holderCache) find(ctx context.Context, address route.Address) *route.TargetKey {
	h.mu.Lock()
	have, ok := h.known[address.Key]
	if !ok {
		have = &holderAt{}
		h.known[address.Key] = have
	}
	h.mu.Unlock()

	have.mu.Lock()
	defer have.mu.Unlock()
	if time.Since(have.at) < holderFresh {
		return have.target
	}
	// The answer is for all who wait: it does not end with the one who happens to ask.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout/2)
	defer cancel()
	reading, err := h.client.readLog(ctx, h.client.logOf(address))
	if err != nil {
		return nil
	}
	have.target, have.at = reading.holderKey(address.Key), time.Now()
	return have.target
}
