package ingress_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/ingress"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A valid event for a Broker that refuses events gets the reason as answer, and is not stored.
func TestRefusedBrokerStoresNothing(t *testing.T) {
	stored := &publisher{}
	address := serve(t, ingress.New(configFor(stored)), 0)
	for _, tt := range []struct {
		name, why string
		status    int
	}{
		{"closed", whyClosed, http.StatusForbidden},
		{"tls", route.NoHTTPS, http.StatusNotFound}, // which senders repeat: the address may come to be
	} {
		got := do(t, client(t, "HTTP/1.1"), request(t, http.MethodPost, "http://"+address+"/default/"+tt.name, strings.NewReader("x"), nil))
		if got.StatusCode != tt.status || !strings.Contains(got.body, tt.why) {
			t.Errorf("%s: %s: %q, want %d and %q", tt.name, got.Status, got.body, tt.status, tt.why)
		}
	}
	if got := stored.got(); len(got) != 0 {
		t.Errorf("%d events stored", len(got))
	}
}
