package daemon

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"knative.dev/pkg/observability/metrics"
	profiles "knative.dev/pkg/observability/runtime"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

const (
	// seriesLimit bounds the series of a metric. OpenTelemetry's 2,000 may be too few for a Broker.
	seriesLimit = 10_000
	// flushTimeout bounds the last export.
	flushTimeout = 5 * time.Second
)

// observation is a process's metrics and profiles, as the ConfigMap config-observability says.
// Failures are logged, and the process goes on without them.
type observation struct {
	*metrics.MeterProvider
	folder   config.Folder
	held     map[string]string
	inUse    config.Observability
	profiles *profiles.ProfilingServer
	log      *slog.Logger
}

// newObservation exports metrics as the folder says now. Without a folder there are none.
func newObservation(ctx context.Context, component string, flags Flags, log *slog.Logger) *observation {
	o := &observation{
		MeterProvider: &metrics.MeterProvider{MeterProvider: noop.NewMeterProvider()},
		folder:        config.Folder(flags.Observability), inUse: noObservation(), profiles: profiles.NewProfilingServer(), log: log,
	}
	held, err := o.folder.Read()
	o.held = held
	wanted := noObservation()
	if err == nil {
		wanted, err = config.ParseObservability(held)
	}
	if err == nil {
		err = o.export(ctx, component, wanted)
	}
	if err != nil {
		log.Error("config-observability is wrong; there are no metrics until it is right and the process starts again", "error", err)
		return o
	}
	o.inUse = wanted
	o.profiles.SetEnabled(wanted.Profiling)
	return o
}

func noObservation() config.Observability { return config.Observability{Protocol: config.ProtocolNone} }

// export replaces the provider that measures nothing, unless it fails.
func (o *observation) export(ctx context.Context, component string, wanted config.Observability) error {
	if wanted.Protocol == config.ProtocolNone {
		return nil
	}
	origin, err := resource.Merge(resource.Default(),
		resource.NewSchemaless(attribute.String("service.name", cmp.Or(os.Getenv("OTEL_SERVICE_NAME"), component))))
	if err != nil {
		return err
	}
	// Only this handler hears, later, of a collector that cannot be reached.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { o.log.Warn("metrics are not exported", "error", err) }))
	provider, err := metrics.NewMeterProvider(ctx,
		metrics.Config{Protocol: wanted.Protocol, Endpoint: wanted.Endpoint, ExportInterval: wanted.ExportInterval},
		sdk.WithResource(origin), sdk.WithCardinalityLimit(seriesLimit))
	if err != nil {
		return err
	}
	err = runtime.Start(runtime.WithMeterProvider(provider), runtime.WithMinimumReadMemStatsInterval(wanted.RuntimeInterval))
	if err != nil {
		return errors.Join(err, provider.Shutdown(ctx))
	}
	o.MeterProvider = provider
	return nil
}

// follow switches profiles as the folder says, until ctx ends. Metrics need a restart.
func (o *observation) follow(ctx context.Context) {
	o.folder.Follow(ctx, lookEvery, o.held, func(held map[string]string, err error) {
		wanted := o.inUse
		if err == nil {
			wanted, err = config.ParseObservability(held)
		}
		if err != nil {
			o.log.Error("config-observability is wrong; metrics and profiles stay as they were", "error", err)
			return
		}
		if o.profiles.SetEnabled(wanted.Profiling) != wanted.Profiling {
			o.log.Info("profiles are switched", "on", wanted.Profiling)
		}
		wanted.Profiling = o.inUse.Profiling
		if wanted != o.inUse {
			o.log.Info("config-observability changes how metrics are exported; this takes effect when the process starts again")
		}
	})
}

// serveProfiles serves profiles while they are switched on, until ctx ends.
func (o *observation) serveProfiles(ctx context.Context) {
	if o.folder == "" {
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = o.profiles.Close() })
	defer stop()
	if err := o.profiles.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		o.log.Error("profiles cannot be served", "error", err)
	}
}

func (o *observation) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if err := o.Shutdown(ctx); err != nil {
		o.log.Warn("the last metrics could not be exported", "error", err)
	}
}
