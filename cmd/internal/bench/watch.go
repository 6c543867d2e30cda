package bench

import (
	"sync"
	"time"
)

// progressEvery is how often whoever watches hears of the progress.
const progressEvery = 200 * time.Millisecond

// watch tells of the progress of a stage until the function that it returns is called.
func (r *run) watch(stage string, done func() float64) (stop func()) {
	if r.Progress == nil {
		return func() {}
	}
	var watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			r.Progress(Progress{
				Stage: stage, Accepted: r.ledger.Accepted(), Settled: r.ledger.Settled(),
				Expected: r.ledger.Accepted() * r.Workload.TargetsPerEvent(), Done: min(max(done(), 0), 1),
			})
			select {
			case <-tick.C:
			case <-ended:
				return
			}
		}
	})
	return func() {
		close(ended)
		watching.Wait()
	}
}
