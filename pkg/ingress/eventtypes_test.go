package ingress_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// recording has every address record event types.
type recording struct{ ingress.Addresses }

func (r recording) Address(key route.Key) (route.Address, bool) {
	address, ok := r.Addresses.Address(key)
	address.RecordEventTypes = true
	return address, ok
}

func TestStoredIsCalledForEachEvent(t *testing.T) {
	for _, test := range []struct {
		name  string
		off   bool
		batch string
		fail  error
		want  []string
	}{
		{name: "nobody asked", off: true},
		{name: "an event", want: []string{"default/orders 1"}},
		{name: "a batch", batch: batchOf(member("a", ""), member("b", "")), want: []string{"default/orders a", "default/orders b"}},
		{name: "a failure", fail: errors.New("away")},
	} {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			var told []string
			config := configFor(&publisher{fail: test.fail})
			if !test.off {
				config.Addresses = recording{config.Addresses}
			}
			config.Stored = func(to route.Address, e event.Event) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, to.Key.Namespace+"/"+to.Key.Name+" "+e.Attr(event.ID))
			}
			address := serve(t, ingress.New(config), 0)
			c := client(t, "HTTP/1.1")
			if test.batch == "" {
				do(t, c, request(t, http.MethodPost, "http://"+address+"/default/orders", strings.NewReader("x"), nil))
			} else {
				postBatch(t, c, address, test.batch)
			}
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(told, test.want) {
				t.Errorf("told of %v, want %v", told, test.want)
			}
		})
	}
}

// An ingress without Config.Stored accepts events of an address that records event types.
func TestStoredMayBeNil(t *testing.T) {
	store := &publisher{}
	config := configFor(store)
	config.Addresses = recording{config.Addresses}
	if answer := post(t, client(t, "HTTP/1.1"), serve(t, ingress.New(config), 0), "x"); answer.StatusCode != http.StatusAccepted || len(store.got()) != 1 {
		t.Errorf("status %d, stored %v", answer.StatusCode, store.got())
	}
}
