// Package daemon is what every data-plane process has around its part, whatever that is: flags,
// log, metrics, profiles, the connection to NATS, mounted folders, probes, and an orderly end.
package daemon

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/oklog/run"
	"go.opentelemetry.io/otel/metric"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/exitcode"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/memory"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// lookEvery is how often the mounted ConfigMaps are read.
const lookEvery = 10 * time.Second

// Process is a data-plane process without its Part.
type Process struct {
	Logger *slog.Logger
	Client *jetstream.Client
	Meter  metric.MeterProvider

	flags       Flags
	logs        *logs
	observation *observation
	mounted     *connection.Mounted
}

// Part is what a data-plane process runs: a dataplane.Server or a dataplane.Filter.
type Part interface {
	// Run follows the routes until ctx ends.
	Run(ctx context.Context)
	Ready() bool
	// Leave makes the part not ready for good, and its clients go elsewhere; it serves on.
	Leave()
	// Drain comes after Run. It lets what is in flight finish until ctx ends, and ends the rest.
	Drain(ctx context.Context)
}

// server is a Part that also serves requests, from the start until it is drained.
type server interface{ Serve() error }

// New makes a process for the role ingress or filter, which connects in the background. Close it.
func New(ctx context.Context, role string, flags Flags) (*Process, error) {
	if err := flags.Validate(); err != nil {
		return nil, exitcode.Wrong(err)
	}
	memory.Tune()
	component := "eventing-jetstream-" + role
	p := &Process{flags: flags, logs: newLogs(component, flags)}
	p.Logger = p.logs.Logger
	options, mounted, err := flags.connection(role, p.Logger)
	if err != nil {
		return nil, exitcode.Wrong(err)
	}
	p.mounted = mounted
	if p.Client, err = jetstream.Connect(options); err != nil {
		return nil, exitcode.Wrong(err) // what can fail before the first attempt is a URL, a certificate or a key
	}
	p.observation = newObservation(ctx, component, flags, p.Logger)
	p.Meter = p.observation
	return p, nil
}

// Close exports the last metrics and closes the connection.
func (p *Process) Close(ctx context.Context) {
	p.observation.end(ctx)
	p.Client.Close()
}

// Run runs the part until ctx ends, or something in the process fails. The part begins when NATS is
// usable. At the end it leaves, goes on for the drain delay, and is drained. Probes and the
// functions beside run until then.
func (p *Process) Run(ctx context.Context, part Part, beside ...func(context.Context)) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	var group run.Group
	p.addEnd(ctx, &group, part)
	loops := slices.Concat(beside, []func(context.Context){p.logs.follow, p.observation.follow, p.observation.serveProfiles})
	if p.mounted != nil {
		loops = append(loops, func(ctx context.Context) {
			p.mounted.Follow(ctx, connection.Follower{Client: p.Client, Logger: p.Logger, Restart: end})
		})
	}
	for _, loop := range loops {
		addLoop(ctx, &group, loop)
	}
	p.addPart(ctx, &group, part)
	if s, serves := part.(server); serves {
		group.Add(s.Serve, func(error) {})
	}
	// Added last: members are interrupted in order, so probes are answered until the drain ends.
	if err := serveProbes(ctx, &group, p.flags.Probes, part.Ready); err != nil {
		return err
	}
	return group.Run()
}

// addLoop runs a loop until the group is interrupted. The loop must outlive ctx: the first member
// that returns ends the group, and the drain delay follows the end of ctx.
func addLoop(ctx context.Context, group *run.Group, loop func(context.Context)) {
	looping, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Add(func() error { loop(looping); <-looping.Done(); return nil }, func(error) { stop() })
}

// addEnd ends the group the drain delay after ctx, so that clients have learned before the drain
// that this part is not ready. If something fails it does not wait.
func (p *Process) addEnd(ctx context.Context, group *run.Group, part Part) {
	failed, fail := context.WithCancel(context.WithoutCancel(ctx))
	group.Add(func() error {
		select {
		case <-ctx.Done():
		case <-failed.Done():
			return nil
		}
		p.Logger.Info("stopping", "delay", p.flags.DrainDelay, "drain", p.flags.Drain)
		part.Leave()
		select {
		case <-time.After(p.flags.DrainDelay):
		case <-failed.Done():
		}
		return nil
	}, func(error) { fail() })
}

func (p *Process) addPart(ctx context.Context, group *run.Group, part Part) {
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	group.Add(func() error {
		defer close(ended)
		if err := connection.Await(following, p.Client, p.Logger); err != nil {
			return err
		}
		part.Run(following)
		return nil
	}, func(error) {
		stop()
		<-ended
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.flags.Drain)
		defer cancel()
		part.Drain(drain)
	})
}

// SignalContext ends at the first interrupt or SIGTERM; a second one then has its default effect.
func SignalContext(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}
