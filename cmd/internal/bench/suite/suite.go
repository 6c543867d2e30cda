// Package suite makes the benchmark of issue 5: rounds of runs, each beside its floor, and what the targets make of them.
package suite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/floor"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

// Config says how much is measured.
type Config struct {
	Rounds int `json:"rounds"`
	// Duration is how long each run sends, Warmup how much of that is not measured.
	Duration time.Duration `json:"duration"`
	Warmup   time.Duration `json:"warmup"`
	// Backlog is how many events are drained, and stored and taken by F5 and F4.
	Backlog int `json:"backlog"`
	// Settle is how long processes are left alone before their memory is read.
	Settle time.Duration `json:"settle"`
	// Only are the names of the runs that are made; none are all.
	Only []string `json:"only,omitempty"`

	// Profile is bench.Options.Profile, with a folder in it for each run.
	Profile string `json:"-"`

	System bench.System `json:"-"`
	// Say is told what is found, line by line.
	Say func(string) `json:"-"`
	// Progress is bench.Options.Progress.
	Progress func(bench.Progress) `json:"-"`
}

// Names of what is measured beside the runs.
const (
	streamRun = "stream"
	idleRun   = "idle"
)

// Validate names the first field that is wrong, by its flag.
func (c Config) Validate() error {
	switch {
	case c.Rounds < 1:
		return fmt.Errorf("--rounds must be at least 1")
	case c.Duration <= 0 || c.Warmup < 0 || c.Warmup >= c.Duration:
		return fmt.Errorf("--duration must be positive, and longer than --warmup")
	case c.Backlog < 1:
		return fmt.Errorf("--backlog must be at least 1")
	case c.Settle < 0:
		return fmt.Errorf("--settle must not be negative")
	}
	known := []string{streamRun, idleRun}
	for _, r := range runs() {
		known = append(known, r.name)
	}
	for _, name := range c.Only {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--only: there is no run %q; there are %v", name, known)
		}
	}
	return nil
}

// usual are the options that a run changes what it wants of.
func (c Config) usual() bench.Options {
	return bench.Options{
		Workload: workload.Workload{Types: 1, FanOut: 1, Filter: workload.FilterNone, Size: kilobyte, Mode: workload.Binary},
		Load: bench.Load{
			Connections: connections, Duration: c.Duration, Warmup: c.Warmup, Window: window, Timeout: requestTimeout,
		},
		Delivery: workload.Delivery{Retry: 10, Policy: "exponential", Delay: "PT0.2S"},
		LogBytes: logBytes, System: c.System, Listen: "127.0.0.1:0", Patience: patience, Progress: c.Progress,
	}
}

const (
	connections = 64
	// window is more than what subscribers have in flight at any moment, and less than a second's events.
	window         = 2000
	requestTimeout = 30 * time.Second
	// logBytes keeps the log from being trimmed in a run that does not ask for it.
	logBytes = 8 << 30
	// patience is more than the longest delay between two attempts.
	patience = 60 * time.Second
)

// Round measures everything once. Runs that fail are noted; the error is that of ctx.
func (c Config) Round(ctx context.Context) (Round, error) {
	r := Round{
		At: time.Now(), Runs: map[string]bench.Result{}, Idle: map[int][]bench.ProcessUse{}, Failed: map[string]string{}, backlog: c.Backlog,
	}
	c.stream(ctx, &r)
	for _, run := range runs() {
		if c.wants(run.name) && ctx.Err() == nil {
			c.run(ctx, &r, run)
		}
	}
	for _, triggers := range idles() {
		if c.wants(idleRun) && ctx.Err() == nil {
			c.idle(ctx, &r, triggers)
		}
	}
	return r, ctx.Err()
}

func (c Config) wants(name string) bool { return len(c.Only) == 0 || slices.Contains(c.Only, name) }

func (c Config) run(ctx context.Context, r *Round, what run) {
	o := c.usual()
	what.set(&o, *r)
	if c.Profile != "" {
		o.Profile = filepath.Join(c.Profile, what.name)
	}
	if err := o.Validate(); err != nil {
		r.Failed[what.name] = err.Error() // a rate that was to come from a run that is not there
		c.say(what.name, "not made: "+err.Error())
		return
	}
	result, err := bench.Run(ctx, o)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		r.Failed[what.name] = err.Error()
		c.say(what.name, "FAILED: "+err.Error())
	}
	if what.name != "p14" {
		result.Timeline = nil // nobody looks at the others any more
	}
	r.Runs[what.name] = result
	c.say(what.name, fmt.Sprintf("%s: %.0f/s in, %.0f/s out, p99 %.2f ms in, %.2f ms through, %s of CPU per event, %d lost, %d twice",
		what.what, result.AcceptedPerSecond, result.DeliveredPerSecond, result.Accept.P99, result.EndToEnd.P99,
		result.CPUPerEvent("").Round(100*time.Nanosecond), result.Lost, result.Duplicates))
}

func (c Config) stream(ctx context.Context, r *Round) {
	if !c.wants(streamRun) {
		return
	}
	var err error
	r.Stream, err = bench.MeasureStream(ctx, c.usual(), floor.StreamPlan{
		Count: c.Backlog, Size: kilobyte, Rate: lowRate, Duration: c.Duration,
	})
	if err != nil {
		r.Failed[streamRun] = err.Error()
	}
	c.say(streamRun, fmt.Sprintf("F5 %.0f/s stored, F4 %.0f/s taken", r.Stream.PublishedPerSecond, r.Stream.ConsumedPerSecond))
}

func (c Config) idle(ctx context.Context, r *Round, triggers int) {
	o := c.usual()
	o.Workload.FanOut, o.Workload.Idle = 0, triggers
	uses, err := bench.MeasureIdle(ctx, o, c.Settle)
	if err != nil {
		r.Failed[idleRun] = err.Error()
	}
	r.Idle[triggers] = uses
	text := fmt.Sprintf("%d Triggers:", triggers)
	for _, u := range uses {
		text += fmt.Sprintf(" %s %.1f MB", u.Name, float64(u.Resident)/(1<<20))
	}
	c.say(idleRun, text)
}

func (c Config) say(name, text string) { c.Say(fmt.Sprintf("%-20s %s", name, text)) }
