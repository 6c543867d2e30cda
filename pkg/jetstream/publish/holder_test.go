package publish

import (
	"context"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A sender that has gone does not wait while another one asks the server, which may take seconds.
func TestFindingTheHolderEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := newHolderCache(nil)
	address := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}}
	asking := &holderAt{turn: make(chan struct{}, 1)}
	asking.turn <- struct{}{}
	h.known[address.Key] = asking

	gone, end := context.WithCancel(t.Context())
	end()
	found := make(chan holding, 1)
	go func() { found <- h.find(gone, address) }()
	select {
	case got := <-found:
		if got != (holding{}) {
			t.Errorf("got %+v, want nothing", got)
		}
	case <-jstest.Context(t).Done():
		t.Fatal("find waits although its context has ended")
	}
}
