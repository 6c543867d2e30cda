package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/embedded"
)

// TestRoutesThatAreGoneAreWrittenAgain deletes the routes bucket while kn-jetstream run serves: within seconds events are taken and
// delivered again, and what is delivered is trimmed from the logs, which three times as much as fits in shows.
func TestRoutesThatAreGoneAreWrittenAgain(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "", "max-bytes", "1Mi")
	c := channelOf("orders", "{}")
	l := startLaptop(t, manifest(b, triggerOf(b, "left", s.URL+"/left", "filter: {attributes: {type: never}}")))
	l.stop(t) // what it leaves is in no file then, and is written again too
	l.restart(t, manifest(b, triggerOf(b, "a", s.URL+"/a"), triggerOf(b, "b", s.URL+"/b"), c,
		subscriptionOf(c, "s", fmt.Sprintf("subscriber: {uri: %q}", s.URL+"/s"))))
	l.says(t, "trigger default/left of broker default/default  is in no file", 1)
	l.accepts(t, "/default/default", event("t", "before"), nil)
	s.getsEvent(t, "/a", "before")

	url, err := os.ReadFile(embedded.URLFile(l.store))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(strings.TrimSpace(string(url)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "KV_kn_routes"); err != nil {
		t.Fatal(err)
	}
	l.says(t, "6 routes were gone, and are written again", 1)
	eventually(t, 20*time.Second, "the Triggers are ready", func() error {
		rows := get[triggerRow](t, l, "triggers")
		if len(rows) != 3 || !rows[0].Ready || !rows[1].Ready || rows[2].Key.Name != "left" {
			return fmt.Errorf("%+v", rows)
		}
		return nil
	})
	for n := range 3 * 16 {
		id := fmt.Sprint("after-", n)
		eventually(t, 20*time.Second, id+" is accepted", func() error {
			got := call{url: l.url("/default/default"), header: event("t", id), body: bytes.NewReader([]byte(`"` + strings.Repeat("x", 64<<10) + `"`))}.do(t)
			if got.status != http.StatusAccepted {
				return fmt.Errorf("%d %s", got.status, got.body)
			}
			return nil
		})
	}
	for _, path := range []string{"/a", "/b"} {
		for n := range 3 * 16 {
			s.getsEvent(t, path, fmt.Sprint("after-", n))
		}
	}
	l.accepts(t, "/channels/default/orders", event("t", "channel"), nil)
	s.getsEvent(t, "/s", "channel")
}
