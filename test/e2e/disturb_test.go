package e2e

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// A disturbance lasts from shortest to longest, as many of them below the geometric mean as above.
	shortestPartition = 100 * time.Millisecond
	longestPartition  = 40 * time.Second
	// overtime is how much longer than asked for the last disturbances may last.
	overtime = 12 * time.Second
)

// disturb stalls and cuts all links, for so long or until ctx ends.
func (p *partitioned) disturb(ctx context.Context, seed uint64, duration time.Duration) {
	begin, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	end, cancelEnd := context.WithTimeout(ctx, duration+overtime)
	defer cancelEnd()
	var disturbing sync.WaitGroup
	for n, l := range p.links {
		d := disturber{
			link: l, calm: 3 * time.Second, longest: longestPartition, say: p.saying(fmt.Sprint("link ", n)),
			random: rand.New(rand.NewPCG(seed, uint64(n))), //nolint:gosec // to be repeated
		}
		if n == len(p.filters) { // the ingress: without it nothing is accepted
			d.calm, d.longest = 5*time.Second, min(longestPartition, duration/4)
		}
		disturbing.Go(func() {
			if n == 0 { // once a filter is away until Triggers become ready without it
				d.strike(end, route.ReportTTL+time.Second+time.Duration(d.random.Float64()*float64(longestPartition-route.ReportTTL-time.Second)))
			}
			d.run(begin, end)
		})
	}
	disturbing.Wait()
}

// saying logs with the time: what happened when a delivery was lost is to be seen.
func (p *partitioned) saying(who string) func(format string, args ...any) {
	return func(format string, args ...any) {
		p.t.Logf("%s %s: %s", time.Now().Format("05.000"), who, fmt.Sprintf(format, args...))
	}
}

// disturber stalls or cuts a link again and again, with once to three times the calm in between.
type disturber struct {
	link          *link
	random        *rand.Rand
	calm, longest time.Duration
	say           func(format string, args ...any)
}

// run begins no disturbance when begin has ended, and ends the last one at the latest with end.
func (d disturber) run(begin, end context.Context) {
	for wait(begin, time.Duration((1+2*d.random.Float64())*float64(d.calm))) {
		length := float64(shortestPartition) * math.Pow(float64(d.longest)/float64(shortestPartition), d.random.Float64())
		d.strike(end, time.Duration(length))
	}
}

func (d disturber) strike(end context.Context, length time.Duration) {
	state := []linkState{stalled, cut}[d.random.IntN(2)]
	d.say("%s for %s", state, length.Round(time.Millisecond))
	d.link.set(state)
	defer d.link.set(passing)
	wait(end, length)
}

// wait returns false when ctx has ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
