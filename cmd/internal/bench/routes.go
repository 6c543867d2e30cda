package bench

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/receiver"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
)

// benchOwner signs the routes.
const benchOwner = "bench"

// apply writes the routes of the Broker and its Triggers, from the YAML that a user would write.
func (s *system) apply(ctx context.Context, subscriber string) error {
	file := filepath.Join(s.folder, "bench.yaml")
	if err := os.WriteFile(file, []byte(s.options.YAML(subscriber)), 0o600); err != nil {
		return err
	}
	resources, err := manifest.Load([]string{file}, manifest.LoadOptions{Owner: benchOwner})
	if err != nil {
		return err
	}
	client, err := jetstream.Connect(s.options.System.NATS)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Wait(ctx); err != nil {
		return err
	}
	if err := buckets.Ensure(ctx, client); err != nil {
		return err
	}
	return manifest.Put(ctx, owner.New(client, benchOwner, time.Minute), resources.Desired())
}

// YAML is the Broker and the Triggers that are measured; the subscribers are below a URL.
func (o Options) YAML(subscriber string) string {
	return o.Workload.YAML(workload.Manifest{
		Delivery: o.Delivery, Annotations: o.annotations(),
		Subscriber: subscriber + receiver.SubscriberPath, Sink: subscriber + receiver.SinkPath,
	})
}

// annotations are those of a Broker of ours; of another class we know none.
func (o Options) annotations() map[string]string {
	if o.System.Target != "" {
		return nil
	}
	annotations := map[string]string{compile.ClassAnnotation: compile.BrokerClass}
	if o.LogBytes > 0 {
		annotations[compile.MaxBytesAnnotation] = strconv.FormatInt(o.LogBytes, 10)
	}
	if triggers := len(o.Workload.Targets()); triggers >= defaultConsumers {
		annotations[compile.MaxConsumersAnnotation] = strconv.Itoa(triggers + 1)
	}
	return annotations
}

// defaultConsumers is how many Triggers a Broker can have that does not ask for more.
const defaultConsumers = 1000
