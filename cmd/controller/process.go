package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/zapr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/eventing/pkg/apis/feature"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	filteredfactory "knative.dev/pkg/client/injection/kube/informers/factory/filtered"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/logging"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/audit"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/broker"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/brokerconfig"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/channel"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/eventtype"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/replykeys"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/trigger"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/telemetry"
)

const (
	// grace is how long the cursor of a deleted Trigger or subscriber, and the log of a deleted Broker or Channel, are kept.
	grace = 60 * time.Second
)

// process is the controllers of this process and what they share.
type process struct {
	mounted *connection.Mounted
	stop    context.CancelFunc
	grace   time.Duration

	client   *jetstream.Client
	owner    *audit.Owner
	watch    *readiness.Watch
	configs  *brokerconfig.Watcher
	audit    *audit.Audit
	log      *slog.Logger
	brokers  *controller.Impl
	channels *controller.Impl
	running  sync.WaitGroup
}

// newProcess reads how to reach NATS; it connects to nothing yet. stop ends the process in good order.
func newProcess(folders config.NATSFolders, stop context.CancelFunc) (*process, error) {
	mounted, err := connection.Read(folders, component)
	if err != nil {
		return nil, err
	}
	return &process{mounted: mounted, stop: stop, grace: grace}, nil
}

// withInformers says by which labels informers are filtered: of all Services, only those of Channels are watched.
func withInformers(ctx context.Context) context.Context {
	return filteredfactory.WithSelectors(ctx, channel.ServiceSelector)
}

// newBrokerController connects, in the background, and makes the first of the controllers.
func (p *process) newBrokerController(ctx context.Context, cmw configmap.Watcher) *controller.Impl {
	logger := logging.FromContext(ctx)
	p.log = slog.New(logr.ToSlogHandler(zapr.NewLogger(logger.Desugar())))
	client, err := jetstream.Connect(p.mounted.Options(p.log))
	if err != nil {
		logger.Fatalw("cannot use the connection to NATS as configured", "error", err)
	}
	p.client = client
	p.owner = audit.NewOwner(owner.New(client, owner.ControllerName, p.grace))
	p.watch = readiness.NewWatch(reports{client})
	p.configs = brokerconfig.NewWatcher(ctx, kubeclient.Get(ctx))
	p.brokers = broker.NewController(ctx, cmw, broker.Dependencies{
		Routes: p.owner, Board: p.watch.Board(), Configs: p.configs, Deleted: p.resourceDeleted,
	})
	return p.brokers
}

// newChannelController makes the second controller.
func (p *process) newChannelController(ctx context.Context, cmw configmap.Watcher) *controller.Impl {
	p.channels = channel.NewController(ctx, cmw, channel.Dependencies{
		Routes: p.owner, Board: p.watch.Board(), Deleted: p.resourceDeleted,
	})
	return p.channels
}

// newTriggerController makes the third controller and starts what runs beside them.
func (p *process) newTriggerController(ctx context.Context, cmw configmap.Watcher) *controller.Impl {
	impl := trigger.NewController(ctx, cmw, trigger.Dependencies{
		Routes: p.owner, Board: p.watch.Board(), Configs: p.configs, Deleted: p.resourceDeleted,
	})
	features := feature.NewStore(logging.FromContext(ctx).Named("features"))
	features.WatchConfigs(cmw)
	api := newAPI(ctx, features)
	p.audit = audit.New(audit.Config{
		Routes: p.owner, Cached: api.cached, Live: api.live, Logger: p.log,
		Leads: func() bool { return leading{p.brokers}.Leads(auditKey()) }, Repaired: repairs(p.log),
		Brokers: leading{p.brokers}, Triggers: leading{impl}, Channels: leading{p.channels},
	})
	p.running.Go(func() { p.watch.Run(ctx) })
	p.running.Go(func() { p.audit.Run(ctx) })
	p.running.Go(func() {
		p.mounted.Follow(ctx, connection.Follower{Client: p.client, Logger: p.log, Restart: p.stop})
	})
	return impl
}

// newEventTypeController makes the fourth controller, of what ingress and filter have seen.
func (p *process) newEventTypeController(ctx context.Context, cmw configmap.Watcher) *controller.Impl {
	impl, follower := eventtype.NewController(ctx, cmw, buckets.NewEventTypes(p.client))
	p.running.Go(func() { follower.Run(ctx) })
	return impl
}

// newReplyKeysController makes the fifth controller, which tells the filter pods of new keys.
func (p *process) newReplyKeysController(ctx context.Context, _ configmap.Watcher) *controller.Impl {
	impl, watch := replykeys.NewController(ctx)
	p.running.Go(func() { watch(ctx) })
	return impl
}

// repairs counts in a metric what the audit has repaired.
func repairs(log *slog.Logger) func() {
	counter, err := otel.Meter(component).Int64Counter(telemetry.Repairs,
		metric.WithDescription("Routes, or the streams and consumers behind them, that somebody else changed and that were made right again."))
	if err != nil {
		log.Warn("repairs are not counted", "error", err)
		return nil
	}
	return func() { counter.Add(context.Background(), 1) }
}

// leading is audit.Reconciler.
type leading struct{ *controller.Impl }

// Leads reports whether this process is the leader for the share of resources that the key falls into. Of all processes, at most one is.
func (l leading) Leads(key types.NamespacedName) bool {
	r, ok := l.Reconciler.(interface {
		IsLeaderFor(key types.NamespacedName) bool
	})
	return ok && r.IsLeaderFor(key)
}

func (p *process) resourceDeleted() { p.audit.Wake() }

// wait returns when everything that the process started has ended.
func (p *process) wait() {
	p.running.Wait()
	if p.configs != nil {
		p.configs.Wait()
	}
	if p.client != nil {
		p.client.Close()
	}
}

// reports is readiness.Source.
type reports struct{ *jetstream.Client }

func (r reports) EnsureBuckets(ctx context.Context) error { return buckets.Ensure(ctx, r.Client) }

func (r reports) LatestReports(ctx context.Context) (route.Reports, error) {
	return buckets.LatestReports(ctx, r.Client)
}
