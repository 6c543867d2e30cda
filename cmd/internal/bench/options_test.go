package bench_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/ledger"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

func usual() bench.Options {
	return bench.Options{
		Workload: workload.Workload{Types: 1, FanOut: 1, Filter: workload.FilterNone, Size: 100, Mode: workload.Binary},
		Load:     bench.Load{Connections: 8, Duration: time.Second, Timeout: time.Second},
		Patience: time.Second,
	}
}

func TestValidateNamesTheFlag(t *testing.T) {
	if err := usual().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		want   string
		change func(*bench.Options)
	}{
		{"--types", func(o *bench.Options) { o.Workload.Types = 0 }},
		{"--connections", func(o *bench.Options) { o.Load.Connections = 0 }},
		{"--rate", func(o *bench.Options) { o.Load.Rate = math.NaN() }},
		{"--rate", func(o *bench.Options) { o.Load.Rate = -1 }},
		{"--duration, --count or --backlog", func(o *bench.Options) { o.Load.Duration = 0 }},
		{"--duration", func(o *bench.Options) { o.Load.Duration = -time.Second }},
		{"--warmup", func(o *bench.Options) { o.Load.Warmup = time.Second }},
		{"--window", func(o *bench.Options) { o.Load.Window = -1 }},
		{"--timeout", func(o *bench.Options) { o.Load.Timeout = 0 }},
		{"--backlog", func(o *bench.Options) { o.Backlog = -1 }},
		{"accounted for", func(o *bench.Options) { o.Load.Count = 1 << 40 }},
		{"accounted for", func(o *bench.Options) { o.Load.Duration, o.Load.Rate = 1000*time.Hour, 1e300 }},
		{"--fail-share", func(o *bench.Options) { o.Subscriber.FailShare = 1.1 }},
		{"--subscriber-latency", func(o *bench.Options) { o.Subscriber.Latency = -1 }},
		{"--failing", func(o *bench.Options) { o.Subscriber.Failing = -1 }},
		{"--retry", func(o *bench.Options) { o.Delivery.Retry = -1 }},
		{"--backoff-policy", func(o *bench.Options) { o.Delivery.Policy = "square" }},
		{"--patience", func(o *bench.Options) { o.Patience = 0 }},
		{"--log-bytes", func(o *bench.Options) { o.LogBytes = -1 }},
		{"--target", func(o *bench.Options) { o.System.Target = "broker.example" }},
		{"--backlog", func(o *bench.Options) { o.System.Target, o.Backlog = "http://broker.example", 1 }},
		{"--floor", func(o *bench.Options) { o.Floor = "f9" }},
		{"--floor f3", func(o *bench.Options) { o.Floor, o.Workload.FanOut = bench.FloorProxy, 2 }},
		{"--triggers 0", func(o *bench.Options) { o.Floor = bench.FloorAnswer }},
	} {
		o := usual()
		test.change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want %q in it", err, test.want)
		}
	}
}

func TestARunThatLostOneIsAFailedRun(t *testing.T) {
	if err := (bench.Result{Tally: ledger.Tally{Accepted: 9, Expected: 9, Delivered: 8, Lost: 1}}).Err(); !errors.Is(err, bench.ErrLost) {
		t.Errorf("error %v", err)
	}
	if err := (bench.Result{Refused: map[int]int{503: 9}}).Err(); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("error %v, want why nothing was accepted", err)
	}
	if err := (bench.Result{Tally: ledger.Tally{Accepted: 9, Expected: 9, Delivered: 9, Duplicates: 1}}).Err(); err != nil {
		t.Error(err)
	}
}
