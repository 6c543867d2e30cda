package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/process"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
)

// benchFlags are the flags of `bench` that are not options of the bench package as they are.
type benchFlags struct {
	options      bench.Options
	mode, filter string
	// ingressProgram and filterProgram are paths.
	ingressProgram, filterProgram string
	output, report                string
	manifest                      bool
	nats                          connection.Flags
}

func newBenchCommand() *cobra.Command {
	f := benchFlags{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure a Broker: how fast, how soon, at what cost; and account for every event",
		Long: `Measure a Broker. Without --nats and --target it starts NATS, an ingress and a filter, each as a process of its own, and
removes them at the end. Every event is accounted for by its id: when an accepted one is lost, the exit code is 1.`,
		Example: `  kn-jetstream bench
  kn-jetstream bench --types 100 --filter cesql --rate 2000 --duration 30s --report report.html
  kn-jetstream bench --target http://broker.example/default/default --subscriber-listen 10.0.0.5:8081`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.register(cmd)
	cmd.AddCommand(newBenchNATSCommand(), newBenchFloorCommand(), newBenchSuiteCommand(), newBenchCompareCommand())
	return cmd
}

func (f *benchFlags) run(cmd *cobra.Command) error {
	if err := f.complete(cmd.Flags().Changed); err != nil {
		return badInput(err)
	}
	if f.manifest {
		fmt.Fprint(cmd.OutOrStdout(), f.options.YAML("http://"+f.options.Listen))
		return nil
	}
	// An interrupt ends the load, and what was sent until then is still accounted for; a second one ends that too.
	first, release := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer release()
	f.options.Stop = first.Done()
	ctx, cancel := secondSignal(cmd.Context(), first)
	defer cancel()
	bar := newBenchBar(cmd.ErrOrStderr(), "")
	f.options.Progress = bar.show
	result, err := bench.Run(ctx, f.options)
	bar.finish()
	if err != nil {
		return err
	}
	if err := f.tell(cmd.OutOrStdout(), result); err != nil {
		return err
	}
	return result.Err()
}

// secondSignal returns a context that ends with a signal that comes after the first context has ended.
func secondSignal(parent, first context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	context.AfterFunc(first, func() {
		second, release := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(second, func() { release(); cancel() })
	})
	return ctx, cancel
}

// complete fills in what a flag says in another form, and checks everything.
func (f *benchFlags) complete(given func(flag string) bool) error {
	o := &f.options
	o.Workload.Mode, o.Workload.Filter = workload.Mode(f.mode), workload.Filter(f.filter)
	if o.Load.Count > 0 && !given("duration") {
		o.Load.Duration = 0
	}
	if o.Load.Duration == 0 && !given("warmup") {
		o.Load.Warmup = 0
	}
	if f.output != "table" && f.output != "json" {
		return fmt.Errorf("--output is %q; it is table or json", f.output)
	}
	if o.System.Target != "" && !given("subscriber-listen") && o.Workload.TargetsPerEvent() > 0 {
		return errors.New("--target needs --subscriber-listen, where the Triggers of that Broker deliver to, or --triggers 0")
	}
	if _, err := net.ResolveTCPAddr("tcp", o.Listen); err != nil {
		return fmt.Errorf("--subscriber-listen: %w", err)
	}
	if err := o.Validate(); err != nil {
		return err
	}
	if o.System.Target != "" {
		return nil
	}
	return f.findSystem()
}

// findSystem finds the programs and says how to reach NATS.
func (f *benchFlags) findSystem() error {
	s := &f.options.System
	var err error
	if s.Self, err = os.Executable(); err != nil {
		return err
	}
	if f.options.Floor == "" {
		if s.Ingress, err = process.Find("ingress", f.ingressProgram); err != nil {
			return err
		}
		if s.Filter, err = process.Find("filter", f.filterProgram); err != nil {
			return err
		}
	}
	if f.nats.Prefix == "" {
		f.nats.Prefix = "bench-" + strings.ToLower(rand.Text()[:8])
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if s.NATS, err = f.nats.Options("kn-jetstream bench", logger); err != nil {
		return err
	}
	s.Flags = natsArguments(f.nats)
	return nil
}

// natsArguments are the flags for another of our programs.
func natsArguments(f connection.Flags) []string {
	var argv []string
	for _, flag := range []struct{ name, value string }{
		{"--nats", f.URL}, {"--creds", f.Creds}, {"--nkey", f.NKey}, {"--tls-ca", f.CA}, {"--tls-cert", f.Cert}, {"--tls-key", f.Key},
		{"--prefix", f.Prefix},
	} {
		if flag.value != "" {
			argv = append(argv, flag.name, flag.value)
		}
	}
	return argv
}
