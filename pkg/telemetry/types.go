package telemetry

import (
	"sync"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Types bounds the values of EventType, which senders choose. Safe for concurrent use.
type Types struct {
	most int

	mu    sync.Mutex
	known map[route.Key]map[string]struct{}
}

// NewTypes returns types of which each address may have so many.
func NewTypes(most int) *Types { return &Types{most: most, known: map[route.Key]map[string]struct{}{}} }

// Value returns the type, or Other once the address has as many others as it may.
func (t *Types) Value(of route.Key, eventType string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	types := t.known[of]
	_, known := types[eventType]
	switch {
	case known:
		return eventType
	case len(types) >= t.most:
		return Other
	case types == nil:
		types = map[string]struct{}{}
		t.known[of] = types
	}
	types[eventType] = struct{}{}
	return eventType
}
