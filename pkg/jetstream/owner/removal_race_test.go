package owner

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Two processes lead at once for a moment: whatever they put, remove and sweep at the same time, a Trigger whose put has succeeded last has
// its cursor, and what comes then is kept for it.
func TestTwoOwnersRemoveNothingOfALiveTarget(t *testing.T) {
	t.Parallel()
	i := install(t)
	owners := []*Owner{i.owner, New(dial(t, i.server), "tests", shortGrace)}
	run := 0
	end := time.Now().Add(4 * time.Second)
	rapid.Check(t, func(rt *rapid.T) {
		if time.Now().After(end) {
			return // as many schedules as the time allows
		}
		run++
		i.broker = brokerOf(fmt.Sprintf("orders-%d", run), 1<<20)
		i.putBroker()
		var all []route.Target
		for _, name := range []string{"one", "two", "own"} {
			target := i.trigger(name)
			if name == "own" {
				target.Start.Policy = route.StartLast
			}
			all = append(all, target)
		}
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"put", "put", "remove", "sweep"}), 1, 8)
		var acting sync.WaitGroup
		for n, o := range owners {
			mine := steps.Draw(rt, fmt.Sprintf("steps of %d", n))
			which := rapid.SliceOfN(rapid.IntRange(0, len(all)-1), len(mine), len(mine)).Draw(rt, fmt.Sprintf("targets of %d", n))
			acting.Go(func() {
				for m, step := range mine {
					act(rt, o, step, all[which[m]])
				}
			})
		}
		acting.Wait()
		for _, target := range all {
			r, found, err := Record(jstest.Context(t), i.client, naming.TargetKey(target.Key))
			jstest.Must(t, err)
			if found && r.DeletedAt == nil && !i.has(*r.Target) {
				rt.Errorf("%s lives and has lost its cursor", target.Key)
			}
		}
		i.publish(0, 3, "a")
		_, _ = trim.Once(jstest.Context(t), i.client, i.broker, 1)
		for _, target := range all {
			r, found, err := Record(jstest.Context(t), i.client, naming.TargetKey(target.Key))
			jstest.Must(t, err)
			if first := i.reading().State.FirstSeq; found && r.DeletedAt == nil && first > 1 {
				rt.Errorf("%s lives, and the log begins with %d", target.Key, first)
			}
		}
		jstest.Must(t, i.owner.RemoveAddress(jstest.Context(t), i.broker.Key))
		i.sweep()
	})
	t.Logf("%d schedules", run)
}

func act(rt *rapid.T, o *Owner, step string, target route.Target) {
	var err error
	ctx := rt.Context()
	switch step {
	case "put":
		_, err = o.PutTarget(ctx, target)
	case "remove":
		err = o.RemoveTarget(ctx, target.Key)
	case "sweep":
		err = o.Sweep(ctx)
	}
	if err != nil {
		rt.Errorf("%s %s: %v", step, target.Key, err)
	}
}

// Nobody makes anew what is being removed, until it is gone; a removal whose process has died is taken over.
func TestAPutWaitsForARemoval(t *testing.T) {
	t.Parallel()
	i := install(t)
	all := i.put(i.trigger("all"))
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), all.Key))
	mark := func(at time.Time) {
		r, _, err := Record(jstest.Context(t), i.client, naming.TargetKey(all.Key))
		jstest.Must(t, err)
		r.Sweeping = &at
		jstest.Must(t, i.owner.mark(jstest.Context(t), &r))
	}
	mark(time.Now())
	i.sweep() // somebody else is at it
	if !i.has(all) {
		t.Fatal("it is removed twice at a time")
	}
	if _, err := i.owner.PutTarget(jstest.Context(t), all); !errors.Is(err, ErrSweeping) {
		t.Fatalf("error %v, want ErrSweeping", err)
	}
	put := make(chan error, 1)
	go func() {
		_, err := i.owner.PutTarget(jstest.Context(t), all)
		put <- err
	}()
	mark(time.Now().Add(-2 * takeOver))
	i.sweep()
	jstest.Must(t, <-put)
	if !i.has(i.recorded(all.Key)) {
		t.Error("the one that came after the removal has no cursor")
	}
}

// putAgain puts the target as a reconciler does: again, while the one before is being removed, or the server makes and removes a consumer
// of one name at the same time (10012 of nats-server 2.15: it has removed the directory of the new one with that of the old one).
func (i *installation) putAgain(target route.Target) route.Target {
	i.t.Helper()
	jstest.Await(i.t, "the target is put", func() bool {
		_, err := i.owner.PutTarget(jstest.Context(i.t), target)
		failed, ofServer := errors.AsType[*natsjs.APIError](err)
		if !errors.Is(err, ErrSweeping) && (!ofServer || failed.ErrorCode != consumerNotCreated) {
			jstest.Must(i.t, err)
		}
		return err == nil
	})
	return i.recorded(target.Key)
}

const consumerNotCreated = 10012

// A put meets the sweep of another owner at any of its steps.
func TestAPutAndTheSweepOfAnotherOwnerAtOnce(t *testing.T) {
	t.Parallel()
	i := install(t)
	other := New(dial(t, i.server), "tests", shortGrace)
	for _, start := range []route.StartPolicy{route.StartNew, route.StartLast} {
		target := i.trigger("one" + string(start))
		target.Start.Policy = start
		for round := range 50 {
			i.putAgain(target)
			jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), target.Key))
			var sweeping sync.WaitGroup
			sweeping.Go(func() {
				if err := other.Sweep(jstest.Context(t)); err != nil {
					t.Errorf("sweep: %v", err)
				}
			})
			live := i.putAgain(target)
			sweeping.Wait()
			if !i.has(live) {
				t.Fatalf("round %d: %s lives and has lost its cursor", round, target.Key)
			}
		}
	}
}
