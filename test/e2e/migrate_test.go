package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const oldUID = "6f1c8f8e-1111-4444-8888-0123456789ab"

// oldInstallation makes, by hand, what eventing-natss leaves behind: a stream of structured events, and the consumer of a Trigger
// that has got the first of them. Its own programs do not run here.
func oldInstallation(t *testing.T, natsURL string, events int) {
	t.Helper()
	conn, err := nats.Connect(natsURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "KN_BROKER_DEFAULT__DEFAULT", Subjects: []string{"default.default._knative_broker.>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := stream.CreateConsumer(t.Context(), jetstream.ConsumerConfig{
		Durable: "KN_TRIGGER_" + strings.ToUpper(strings.ReplaceAll(oldUID, "-", "")), AckPolicy: jetstream.AckExplicitPolicy,
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range events {
		body := fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/old","type":"order","data":{"n":%d}}`, n, n)
		if _, err := js.Publish(t.Context(), "default.default._knative_broker.events", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	first, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.DoubleAck(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateDeliversWhatTheOldTriggerLacks(t *testing.T) {
	t.Parallel()
	const events = 20
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	trigger := strings.Replace(triggerOf(b, "orders", s.URL+"/orders").String(), `name: "orders"`, fmt.Sprintf(`name: "orders", uid: %q`, oldUID), 1)
	other := triggerOf(b, "other", s.URL+"/other").String()
	natsURL := startNATS(t, strings.Join([]string{b.String(), trigger, other}, "---\n"))
	oldInstallation(t, natsURL, events)
	startPart(t, built.filter, natsURL)

	if shown := run(t, built.kn, "migrate", "--dry-run", "--nats", natsURL); !strings.Contains(shown, "orders of broker default/default") || !strings.Contains(shown, "19") {
		t.Errorf("a dry run shows\n%s", shown)
	}
	if n := len(s.at("/orders")); n > 0 {
		t.Fatalf("a dry run sends %d events", n)
	}
	t.Log(run(t, built.kn, "migrate", "--nats", natsURL))
	s.gets(t, "/orders", events-1)
	run(t, built.kn, "migrate", "--nats", natsURL) // nothing is left
	for n := 1; n < events; n++ {
		if visits := s.of("/orders", fmt.Sprint(n)); len(visits) != 1 || !strings.Contains(string(visits[0].body), fmt.Sprintf(`"n":%d`, n)) {
			t.Errorf("event %d comes %d times", n, len(visits))
		}
	}
	if visits := s.at("/other"); len(visits) > 0 {
		t.Errorf("a Trigger that the old installation did not know gets %d old events", len(visits))
	}
}

// Half a migration is hard to tell from a whole one.
func TestMigrateMovesAllOrNothing(t *testing.T) {
	t.Parallel()
	s := subscribe(t, nil)
	b := brokerOf("default", "")
	natsURL := startNATS(t, manifest(b, triggerOf(b, "orders", s.URL+"/orders")))
	oldInstallation(t, natsURL, 3)
	output, err := exec.CommandContext(t.Context(), built.kn, "migrate", "--nats", natsURL).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "2 events for a Trigger or Subscription that is not there") {
		t.Errorf("error %v\n%s", err, output)
	}
}
