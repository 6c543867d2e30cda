package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestChannelsOfApply has routes written by kn-jetstream apply, and ingress and filter as programs of their own: references among
// the files find the ingress that apply is told of. Then the Channels are deleted again.
func TestChannelsOfApply(t *testing.T) {
	t.Parallel()
	url, js := connectNATS(t)
	s := subscribe(t, map[string]answers{"/transform": repliesWith("transformed", "done")})
	listen := "127.0.0.1:" + freePort(t)
	first, second, broker := channelOf("first", "{}"), channelOf("second", "{}"), brokerOf("default", "")
	file := filepath.Join(t.TempDir(), "channels.yaml")
	text := manifest(first, second, broker,
		subscriptionOf(first, "transform", subscriberAt(s.URL+"/transform")+", "+replyTo(second)),
		subscriptionOf(second, "to-broker", "subscriber: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}"),
		triggerOf(broker, "last", s.URL+"/last"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := run(t, built.kn, "apply", "-f", file, "--nats", url); strings.Count(out, "--ingress-url") != 2 {
		t.Errorf("apply does not say what it lacks for two references:\n%s", out)
	}
	run(t, built.kn, "apply", "-f", file, "--nats", url, "--ingress-url", "http://"+listen+"/")
	startPart(t, built.ingress, url, "--listen", listen, "--url", "http://"+listen)
	startPart(t, built.filter, url)
	channel := "http://" + listen + "/channels/default/first"
	if out := run(t, built.kn, "send", channel, "--type", "order", "--id", "1", "--data", "{}"); !strings.Contains(out, "accepted 1") {
		t.Fatalf("the event is not accepted: %s", out)
	}
	if got := s.getsEvent(t, "/last", "1"); got.header.Get("ce-type") != "transformed" || string(got.body) != "done" {
		t.Errorf("the Trigger's subscriber got %v %q", got.header, got.body)
	}
	eventually(t, 20*time.Second, "nothing is left", func() error { return backlogOf(t, url) })

	run(t, built.kn, "delete", "-f", file, "--nats", url)
	eventually(t, 10*time.Second, "the ingress knows that the Channel is gone", func() error {
		got, err := call{url: channel, header: event("order", "2")}.try(t)
		if err == nil && got.status != 404 {
			t.Logf("status %d", got.status)
			return os.ErrExist
		}
		return err
	})
	for stream := range js.StreamNames(t.Context()).Name() {
		if !strings.HasPrefix(stream, "KV_") {
			t.Errorf("the stream %s is left", stream)
		}
	}
}
