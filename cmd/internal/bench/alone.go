package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/floor"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/process"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

// MeasureStream measures F4 and F5: JetStream alone, with the log of a Broker that has no Triggers.
func MeasureStream(ctx context.Context, o Options, plan floor.StreamPlan) (result floor.StreamResult, err error) {
	o.Floor, o.Workload.FanOut, o.Workload.Replies = FloorStream, 0, false
	s := &system{options: o}
	defer func() { err = errors.Join(err, s.stop(ctx)) }()
	if err := s.start(ctx, "http://"+nowhere); err != nil {
		return floor.StreamResult{}, err
	}
	argv := append([]string{
		"bench", "floor", FloorStream, "--count", strconv.Itoa(plan.Count), "--size", strconv.Itoa(plan.Size),
		"--rate", strconv.FormatFloat(plan.Rate, 'f', -1, 64), "--duration", plan.Duration.String(),
	}, s.options.System.Flags...)
	output, err := exec.CommandContext(ctx, o.System.Self, argv...).Output() //nolint:gosec // our own program
	if err != nil {
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			return floor.StreamResult{}, fmt.Errorf("floor %s: %w: %s", FloorStream, err, failed.Stderr)
		}
		return floor.StreamResult{}, err
	}
	return result, json.Unmarshal(output, &result)
}

// nowhere is where nothing listens.
const nowhere = "127.0.0.1:1"

// MeasureIdle tells what the processes of a Broker have in memory some time after they have started, when nothing is sent.
func MeasureIdle(ctx context.Context, o Options, settle time.Duration) (uses []ProcessUse, err error) {
	s := &system{options: o}
	defer func() { err = errors.Join(err, s.stop(ctx)) }()
	if err := s.start(ctx, "http://"+nowhere); err != nil {
		return nil, err
	}
	if err := s.startFilter(ctx); err != nil {
		return nil, err
	}
	if !loop.Sleep(ctx, settle) {
		return nil, ctx.Err()
	}
	for _, p := range s.running() {
		u, _ := process.UsageOf(p.Pid())
		uses = append(uses, ProcessUse{Name: p.Name, CPU: u.CPU, Peak: u.Peak, Resident: u.Resident})
	}
	return uses, s.failure()
}
