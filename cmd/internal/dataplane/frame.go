package dataplane

import (
	"context"
	"log/slog"
	"time"

	"github.com/oklog/run"
	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// ProcessFlags are the flags that cmd/ingress and cmd/filter have in common.
type ProcessFlags struct {
	Probes   string
	Drain    time.Duration
	JSONLogs bool
	NATS     NATSFlags
}

// Register adds the flags to a command.
func (f *ProcessFlags) Register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Probes, "probe-listen", "", "`address` that serves /healthz and /readyz")
	flags.DurationVar(&f.Drain, "drain", 30*time.Second, "how long what is in flight may take to finish after a signal to stop")
	flags.BoolVar(&f.JSONLogs, "json-logs", false, "write the log as JSON")
	f.NATS.Register(flags)
	_ = cmd.MarkFlagRequired("nats") // fails for unknown flags only
}

// Part is what a data-plane process runs: an Ingress or a Filter.
type Part interface {
	Run(ctx context.Context)
	Ready() bool
}

// Frame is what stands around a Part in a process of its own.
type Frame struct {
	Part   Part
	Client *jetstream.Client
	Logger *slog.Logger
	// Probes is the address of the probes; empty for none.
	Probes string
}

// Add adds to the group what every data-plane process has: its part, which begins when NATS is usable, the end by ctx, and
// the probes. The part goes on until the group is interrupted, so that what is in flight can finish.
func (f Frame) Add(ctx context.Context, group *run.Group) error {
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Add(func() error {
		if err := Await(following, f.Client, f.Logger); err != nil {
			return err
		}
		f.Part.Run(following)
		return nil
	}, func(error) { stop() })
	ended, end := context.WithCancel(ctx)
	group.Add(func() error { <-ended.Done(); return nil }, func(error) { end() })
	return ServeProbes(ctx, group, f.Probes, f.Part.Ready)
}
