package telemetry

import (
	"sync"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Types bounds the values of EventType, which senders choose. Safe for concurrent use.
type Types struct {
	most int

	mu    sync.RWMutex
	known map[route.Key]map[string]struct{}
}

// NewTypes returns types of which each address may have so many.
func NewTypes(most int) *Types { return &Types{most: most, known: map[route.Key]map[string]struct{}{}} }

// Value returns the type, or Other once the address has as many others as it may.
func (t *Types) Value(of route.Key, eventType string) string {
	t.mu.RLock()
	_, known := t.known[of][eventType]
	full := len(t.known[of]) >= t.most
	t.mu.RUnlock()
	switch {
	case known:
		return eventType
	case full:
		return Other
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	types := t.known[of]
	if types == nil {
		types = map[string]struct{}{}
		t.known[of] = types
	}
	if _, known := types[eventType]; !known && len(types) >= t.most {
		return Other
	}
	types[eventType] = struct{}{}
	return eventType
}
