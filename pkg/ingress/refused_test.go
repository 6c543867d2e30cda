package ingress_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
)

// What cannot be checked is not let in: a valid event for a Broker that refuses is answered with the reason, and not stored.
func TestRefusedBrokerStoresNothing(t *testing.T) {
	stored := &publisher{}
	address := serve(t, ingress.New(configFor(stored)), 0)
	got := do(t, client(t, "HTTP/1.1"), request(t, http.MethodPost, "http://"+address+"/default/closed", strings.NewReader("x"), nil))
	if got.StatusCode != http.StatusForbidden || !strings.Contains(got.body, whyClosed) {
		t.Errorf("%s: %q, want 403 and %q", got.Status, got.body, whyClosed)
	}
	if got := stored.got(); len(got) != 0 {
		t.Errorf("%d events stored", len(got))
	}
}
