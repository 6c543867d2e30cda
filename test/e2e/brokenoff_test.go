package e2e

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	manifests "github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// A command may die in the middle of a removal, and a kn-jetstream run may be gone for good: the next command finishes what they have left.
func TestCommandsFinishWhatOthersLeft(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	url := "nats://127.0.0.1:" + port
	start(t, "nats-server", built.natsServer, "-js", "-a", "127.0.0.1", "-p", port, "-sd", t.TempDir())
	subscriber := receive(t, nil)
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(broker(trigger("orders", "order", subscriber.URL))), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, built.kn, "apply", "-f", file, "--nats", url)

	names, err := naming.New(naming.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	client, err := jetstream.Connect(jetstream.Options{URL: url, Names: names, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	target := func(name string) routes.StoredRecord {
		records, err := routes.Records(ctx, client, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r.Target != nil && r.Target.Key.Name == name {
				return r
			}
		}
		t.Fatalf("there is no record of %s", name)
		return routes.StoredRecord{}
	}
	write := func(r route.Record) {
		if _, err := owner.New(client, "tests", time.Hour).PutRecord(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-time.Hour)
	brokenOff := target("orders").Record
	brokenOff.DeletedAt, brokenOff.Sweeping = &before, &before
	write(brokenOff)
	left := *brokenOff.Target
	left.Key.Name, left.Owner, left.NotReady, left.Consumer = "left", "run@gone", manifests.InNoFile, ""
	write(route.Record{Target: &left, DeletedAt: &before})

	run(t, built.kn, "apply", "-f", file, "--nats", url)
	if r := target("orders"); r.DeletedAt != nil || r.Target.Consumer == "" {
		t.Errorf("the Trigger is not there again: %+v", r)
	}
	if r := target("left"); !r.Swept {
		t.Errorf("what the run that is gone had is not removed: %+v", r)
	}
}
