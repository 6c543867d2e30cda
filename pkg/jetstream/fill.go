package jetstream

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
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
	target, err := h.client.holder(ctx, address)
	if err != nil {
		return nil
	}
	have.target, have.at = target, time.Now()
	return target
}

// holder returns the target that holds the log, or who else does; nil when nobody does. Where targets share the cursor, those that are
// behind have their events parked for them until there is no room for that: then the one with most of them holds the log.
func (c *Client) holder(ctx context.Context, address route.Address) (*route.TargetKey, error) {
	reading, err := c.readLog(ctx, c.logOf(address))
	if err != nil || reading.holder == nil {
		return nil, err
	}
	meta := reading.holder.Config.Metadata
	switch {
	case meta[metaUse] == sharedUse:
		return c.mostBehind(ctx, address.Key)
	case meta[metaName] == "":
		return &route.TargetKey{Address: address.Key, Name: "(foreign consumer) " + reading.holder.Name}, nil
	}
	return &route.TargetKey{Address: address.Key, Namespace: meta[metaNamespace], Name: meta[metaName]}, nil
}

// mostBehind returns the target with most parked events, or the only one; nil when several have none.
func (c *Client) mostBehind(ctx context.Context, key route.Key) (*route.TargetKey, error) {
	records, err := c.Records(ctx, naming.TargetKeysOf(key))
	if err != nil {
		return nil, err
	}
	parked, err := c.parkedFor(ctx, key, records)
	if err != nil {
		return nil, err
	}
	var live []route.TargetKey
	for _, r := range records {
		if r.DeletedAt == nil && r.Target.Consumer != "" {
			live = append(live, r.Target.Key)
		}
	}
	if len(live) == 0 {
		return nil, nil
	}
	most := slices.MaxFunc(live, func(a, b route.TargetKey) int { return cmp.Compare(parked.events[a], parked.events[b]) })
	if len(live) > 1 && parked.events[most] == 0 {
		return nil, nil
	}
	return &most, nil
}
