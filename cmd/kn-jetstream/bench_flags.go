package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

// The flags of bench, by what they are about.
func (f *benchFlags) register(cmd *cobra.Command) {
	f.registerWorkload(cmd)
	f.registerLoad(cmd)
	f.registerSubscribers(cmd)
	f.registerSystem(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "table", "table or json")
	flags.StringVar(&f.report, "report", "", "write an HTML `file` with plots; it needs no network")
	flags.StringVar(&f.options.Profile, "profile", "", "write the CPU profiles of all processes that are started into a `folder`; ingress and filter serve them at all addresses of the machine meanwhile")
	flags.BoolVar(&f.manifest, "print-manifest", false, "print the YAML of the Broker and its Triggers, for another system, and do nothing")
}

func (f *benchFlags) registerWorkload(cmd *cobra.Command) {
	flags, w := cmd.Flags(), &f.options.Workload
	flags.IntVar(&w.Types, "types", 1, "number of event types, sent in turn")
	flags.IntVar(&w.FanOut, "triggers", 1, "Triggers for each type, or in all with --filter none; 0 measures the ingress alone")
	flags.IntVar(&w.Idle, "idle-triggers", 0, "further Triggers that match no event")
	flags.StringVar(&f.filter, "filter", string(workload.FilterNone), "how Triggers choose their type: none (they get every event), type, prefix, suffix or cesql")
	flags.IntVar(&w.Size, "size", 1024, "bytes of data in an event")
	flags.StringVar(&f.mode, "mode", string(workload.Binary), "content mode: binary, structured or batch")
	flags.IntVar(&w.Batch, "batch-size", 100, "events in one request, with --mode batch")
	flags.BoolVar(&w.Replies, "replies", false, "the first Trigger of each type replies with an event, which one more Trigger gets")
}

func (f *benchFlags) registerLoad(cmd *cobra.Command) {
	flags, l := cmd.Flags(), &f.options.Load
	flags.Float64Var(&l.Rate, "rate", 0, "events per second that become due whether or not earlier ones are answered (open loop); 0 is as fast as the connections get answers (closed loop)")
	flags.IntVar(&l.Connections, "connections", 64, "requests at one time")
	flags.DurationVar(&l.Duration, "duration", 10*time.Second, "how long events are sent")
	flags.IntVar(&l.Count, "count", 0, "send so many events; with --duration, whatever ends first")
	flags.DurationVar(&l.Warmup, "warmup", time.Second, "time at the beginning that is not measured; 0 with --count")
	flags.IntVar(&l.Window, "window", 2000, "deliveries under way in a closed loop, from the sender to the subscribers; 0 is without bound")
	flags.DurationVar(&l.Timeout, "timeout", 30*time.Second, "longest time for one request")
	flags.IntVar(&f.options.Backlog, "backlog", 0, "events that are stored before the filter starts; with --duration 0 only they are delivered")
	flags.DurationVar(&f.options.Patience, "patience", 60*time.Second, "what has not come when nothing has come for so long is lost")
}

func (f *benchFlags) registerSubscribers(cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.options
	flags.DurationVar(&o.Subscriber.Latency, "subscriber-latency", 0, "how long subscribers take for an answer")
	flags.Float64Var(&o.Subscriber.FailShare, "fail-share", 0, "share of requests that subscribers answer with 500, from 0 to 1")
	flags.IntVar(&o.Subscriber.Failing, "failing", 0, "number of Triggers whose subscriber answers always with 503")
	flags.IntVar(&o.Delivery.Retry, "retry", 10, "how often a delivery is repeated before the event is a dead letter")
	flags.StringVar(&o.Delivery.Policy, "backoff-policy", "exponential", "linear or exponential")
	flags.StringVar(&o.Delivery.Delay, "backoff-delay", "PT0.2S", "delay before the first repetition, as in a delivery spec")
}

func (f *benchFlags) registerSystem(cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.options
	f.nats.Register(flags)
	flags.Lookup("prefix").DefValue, f.nats.Prefix = "bench- and a random word", ""
	flags.StringVar(&o.System.Target, "target", "", "`URL` of a Broker to measure, whose Triggers deliver to --subscriber-listen, Trigger n to the path /s/n (see --print-manifest)")
	flags.StringVar(&o.Listen, "subscriber-listen", "127.0.0.1:0", "`address` where deliveries arrive")
	flags.StringVar(&o.Floor, "floor", "", "measure a floor in place of the Broker: f1, f2a, f2b or f3 (see docs/benchmarks.md)")
	flags.Int64Var(&o.LogBytes, "log-bytes", 4<<30, "byte limit of the Broker's log")
	f.registerPrograms(cmd)
	for _, flag := range []string{"nats", "floor", "log-bytes", "store"} {
		cmd.MarkFlagsMutuallyExclusive("target", flag)
	}
}

// registerPrograms are the flags that the suite has too.
func (f *benchFlags) registerPrograms(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.options.System.Folder, "store", "", "`folder` for the store of the NATS that is started (default: the one for temporary files)")
	flags.StringVar(&f.ingressProgram, "ingress-program", "", "the ingress (default: the one beside this program, else on the PATH)")
	flags.StringVar(&f.filterProgram, "filter-program", "", "the filter, likewise")
}
