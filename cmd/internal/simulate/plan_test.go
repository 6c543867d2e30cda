package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// scarce is the most bytes of a log that fills up: what has no room is not kept.
const scarce = 1 << 20

// plan is what a seed chooses before anything runs.
type plan struct {
	addresses []route.Key
	logBytes  int64
	// budget is what a filter process may hold, in bytes.
	budget  int64
	grace   time.Duration
	filters int
	owners  int
	events  int
	// latency is how long what a process and NATS send to each other takes.
	latency time.Duration
	// resync is how often an owner looks whether a record is missing that nobody has edited.
	resync time.Duration
	// body is the most bytes of data that an event has.
	body int
	// faults, edits and deletions say which steps there are.
	faults, edits, deletions bool
}

func newPlan(rng *rand.Rand) plan {
	p := plan{
		addresses: []route.Key{{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}},
		logBytes:  8 << 20, budget: 64 << 20, grace: time.Hour,
		filters: 1 + rng.IntN(3), owners: 1, events: 80 + rng.IntN(80), body: 200,
	}
	p.faults, p.edits, p.deletions = rng.IntN(6) > 0, rng.IntN(3) > 0, rng.IntN(2) == 0
	if rng.IntN(3) == 0 {
		p.owners = 2
	}
	if rng.IntN(3) == 0 {
		p.grace = 20 * time.Second
	}
	if rng.IntN(2) == 0 {
		p.addresses = append(p.addresses, route.Key{Kind: route.KindChannel, Namespace: "shop", Name: "line"})
	}
	switch rng.IntN(4) {
	case 0: // a log that fills up
		p.logBytes, p.body = 96<<10, 8<<10
	case 1: // a process that holds little
		p.budget, p.body = 256<<10, 16<<10
	}
	p.latency = []time.Duration{0, 0, time.Millisecond, 30 * time.Millisecond, 100 * time.Millisecond}[rng.IntN(5)]
	p.resync = []time.Duration{reconcileEvery, 30 * time.Second}[rng.IntN(2)]
	return p
}

func (p plan) String() string {
	return fmt.Sprintf("%d addresses, %d filters, %d owners, latency %s, log %d KiB, budget %d KiB, grace %s, resync %s, faults %v, edits %v, deletions %v",
		len(p.addresses), p.filters, p.owners, p.latency, p.logBytes>>10, p.budget>>10, p.grace, p.resync, p.faults, p.edits, p.deletions)
}

// newTargets are those of all addresses. Some are made late.
func (p plan) newTargets(rng *rand.Rand) (targets []*target) {
	for _, address := range p.addresses {
		for i := range 1 + rng.IntN(5) {
			name := fmt.Sprintf("%s-%d", address.Name, i)
			t := &target{
				key: route.TargetKey{Address: address, Namespace: "shop", Name: name}, name: name,
				retry: rng.IntN(4), delay: []time.Duration{time.Second, 12 * time.Second, 45 * time.Second}[rng.IntN(3)], fails: rng.Float64() / 2,
				loses:  float64(rng.IntN(2)) * rng.Float64() / 4,
				breaks: float64(rng.IntN(2)) * rng.Float64() / 6, keeps: rng.IntN(4) == 0 && p.logBytes > scarce,
				replies: float64(rng.IntN(2)) * rng.Float64() / 2, hesitates: float64(rng.IntN(2)) * rng.Float64() / 6,
				inFlight: []int{0, 0, 1, 2}[rng.IntN(4)], sour: []float64{0.1, 0.4}[rng.IntN(2)],
			}
			if address.Kind == route.KindChannel { // only there a reply has an outcome of its own
				t.replies = 0.2 + rng.Float64()/2
			}
			targets = append(targets, t)
		}
	}
	return targets
}

// kinds are the types that events have. Replies have one of their own.
func kinds() []string { return []string{"made", "paid", "lost"} }

const replyKind = "answered"

// anyFilter chooses what a target of the address wants.
func anyFilter(rng *rand.Rand, address route.Key) filter.Spec {
	if address.Kind == route.KindChannel {
		return all()
	}
	kind := kinds()[rng.IntN(len(kinds()))]
	filters := []filter.Spec{
		all(), exact(kind), exact(kind), anyOf("made", "paid"), anyOf(kind, replyKind), starts(kind[:2]), not(kind),
		cesql("type = '" + kind + "'"), cesql("type IN ('made', 'lost')"),
	}
	return filters[rng.IntN(len(filters))]
}
