package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// holderCache finds the target that holds a full log, without a request for every refused event.
type holderCache struct {
	client *jetstream.Client

	mu    sync.Mutex
	known map[route.Key]*holderAt
}

// holderAt is the last answer for one log. Its other fields belong to whoever has a token in turn.
type holderAt struct {
	turn chan struct{} // of capacity 1: a mutex whose wait ends with a context
	holding
	at time.Time
}

// holding is why a full log keeps its events: the target that has not got them, or a text.
type holding struct {
	target *route.TargetKey
	why    string
}

const holderFresh = 2 * time.Second

func newHolderCache(c *jetstream.Client) *holderCache {
	return &holderCache{client: c, known: map[route.Key]*holderAt{}}
}

// find returns what holds the log; the zero value if the server does not say in time, or ctx ends
// while another caller asks. Callers for the same log wait for one answer.
func (h *holderCache) find(ctx context.Context, address route.Address) holding {
	h.mu.Lock()
	have, ok := h.known[address.Key]
	if !ok {
		have = &holderAt{turn: make(chan struct{}, 1)}
		h.known[address.Key] = have
	}
	h.mu.Unlock()

	select {
	case have.turn <- struct{}{}:
		defer func() { <-have.turn }()
	case <-ctx.Done():
		return holding{}
	}
	if time.Since(have.at) < holderFresh {
		return have.holding
	}
	// All callers get the answer: asking for it does not end with the context of the first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jetstream.RequestTimeout/2)
	defer cancel()
	found, err := h.holder(ctx, address)
	switch {
	case errors.Is(err, natsjs.ErrBucketNotFound):
		found.why = "its delivered events cannot be removed, as the routes are gone; their owner has to write them again"
	case err != nil:
		return holding{}
	}
	have.holding, have.at = found, time.Now()
	return found
}

// holder asks NATS what holds the log. Where that is the shared consumer, it is behind because
// events of slow targets can no longer be parked: the target with most parked events holds the log.
func (h *holderCache) holder(ctx context.Context, address route.Address) (holding, error) {
	reading, err := trim.ReadLog(ctx, h.client, h.client.LogOf(address))
	if err != nil {
		return holding{}, err
	}
	records, err := routes.Records(ctx, h.client, naming.TargetKeysOf(address.Key))
	if err != nil {
		return holding{}, err
	}
	missing, err := reading.Missing(ctx, h.client, address.Key, records)
	if err != nil {
		return holding{}, err
	}
	if missing != "" {
		return holding{why: fmt.Sprintf("its delivered events cannot be removed before %s, which is gone, is made again", missing)}, nil
	}
	if reading.Holder == nil {
		return holding{why: notTrimmed(address)}, nil
	}
	meta := reading.Holder.Config.Metadata
	switch {
	case meta[jetstream.MetaUse] == jetstream.SharedUse:
		return h.mostBehind(ctx, address.Key, records)
	case meta[jetstream.MetaName] == "":
		return holding{target: &route.TargetKey{Address: address.Key, Name: "(foreign consumer) " + reading.Holder.Name}}, nil
	}
	return holding{target: &route.TargetKey{Address: address.Key, Namespace: meta[jetstream.MetaNamespace], Name: meta[jetstream.MetaName]}}, nil
}

func notTrimmed(address route.Address) string {
	if address.Log.Stream != "" {
		return "its stream is another's, who has to remove what is delivered"
	}
	return "its delivered events are being removed"
}

// mostBehind returns the target with most parked events, or the only one.
func (h *holderCache) mostBehind(ctx context.Context, key route.Key, records []routes.StoredRecord) (holding, error) {
	parked, err := ParkedFor(ctx, h.client, key, records)
	if err != nil {
		return holding{}, err
	}
	var live []route.TargetKey
	for _, r := range records {
		if r.DeletedAt == nil && r.Target.Consumer != "" {
			live = append(live, r.Target.Key)
		}
	}
	if len(live) == 0 {
		return holding{why: "its consumer is that of targets which have no route any more"}, nil
	}
	most := slices.MaxFunc(live, func(a, b route.TargetKey) int { return cmp.Compare(parked.Events[a], parked.Events[b]) })
	if len(live) > 1 && parked.Events[most] == 0 {
		return holding{why: fmt.Sprintf("held by events that one of its %d targets or more have not got", len(live))}, nil
	}
	return holding{target: &most}, nil
}
