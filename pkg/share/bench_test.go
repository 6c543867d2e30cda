package share_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// BenchmarkTake deals a message, takes its parts and acknowledges them. A filter by suffix or by
// type matches one message in a hundred, so that one member gets each.
func BenchmarkTake(b *testing.B) {
	suffixes := hundred("suffix", func(i int) filter.Spec { return typeEnds(fmt.Sprintf("-%02d", i)) })
	types := hundred("type", func(i int) filter.Spec { return ofType(benchType(i)) })
	var everything []route.Target
	for i := range 10 {
		everything = append(everything, target(fmt.Sprintf("all-%d", i)))
	}
	for _, bench := range []struct {
		name    string
		members []route.Target
	}{
		{"100 suffixes", suffixes},
		{"100 types", types},
		{"10 that take all", everything},
		{"all of them", append(append(append([]route.Target(nil), suffixes...), types...), everything...)},
	} {
		b.Run(bench.name, func(b *testing.B) { benchmarkTake(b, bench.members) })
	}
}

func hundred(name string, filterOf func(i int) filter.Spec) []route.Target {
	var all []route.Target
	for i := range 100 {
		all = append(all, with(fmt.Sprintf("%s-%d", name, i), filterOf(i)))
	}
	return all
}

func benchType(i int) string { return fmt.Sprintf("com.example.order-%02d", i%100) }

func benchmarkTake(b *testing.B, members []route.Target) {
	var running, serving sync.WaitGroup
	names := namesOf(b)
	group := share.New(share.Config{
		Park: func(context.Context, route.Target, dispatch.Work, time.Time) error {
			b.Error("something is parked")
			return nil
		},
		Subjects: names.Subjects,
		Go:       running.Go, More: func() {}, Logger: slog.New(slog.DiscardHandler),
		Bytes: share.MaxBytes, Current: func() bool { return true },
	})
	group.Follow(members, nil)
	stopped := make(chan struct{})
	var sources []dispatch.Source
	for _, t := range members {
		source := group.Open(t.Key)
		sources = append(sources, source)
		serving.Go(func() {
			for {
				for m, ok := source.Take(); ok; m, ok = source.Take() {
					_ = m.Ack()
				}
				select {
				case <-source.Ready():
				case <-stopped:
					return
				}
			}
		})
	}
	subjects, works := make([]string, 100), make([]dispatch.Work, 100)
	for i := range works {
		subjects[i], works[i] = names.EventSubject(broker, benchType(i)), dispatch.Work{Event: typed(benchType(i)), Sequence: 1}
	}
	room := make(places, share.Room/4)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		room <- struct{}{}
		group.Take(subjects[i%100], dispatch.Message{Work: works[i%100], Lease: room})
	}
	for range cap(room) { // until all are settled
		room <- struct{}{}
	}
	close(stopped)
	serving.Wait()
	for _, s := range sources {
		s.Stop()
	}
	running.Wait()
}

// places is the lease of messages whose number is bounded.
type places chan struct{}

func (p places) Ack() error {
	<-p
	return nil
}

func (p places) Release(time.Duration) error { return p.Ack() }
