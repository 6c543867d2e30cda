package readiness

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	readOften  = 100 * time.Millisecond
	readSeldom = time.Second
	readBudget = 2 * time.Second
)

// Source is where the reports are; it is what jetstream.Client does.
type Source interface {
	// Wait returns once NATS has been seen to have what we need, or why it has not.
	Wait(ctx context.Context) error
	EnsureBuckets(ctx context.Context) error
	// LatestReports returns no less than what was reported when it was called, whatever servers are behind or cut off.
	LatestReports(ctx context.Context) (route.Reports, error)
}

// Watch reads the reports and shows them to its boards.
//
// It asks again and again instead of watching the bucket. Each answer is the whole truth of one moment: a report that expired,
// a bucket that was deleted or is another one after an outage, a message that was missed need no care of their own, and readiness
// is never a guess. It costs a few small requests a second while nobody waits, and shows a change a tenth of a second late to
// those who do: one reading for all.
type Watch struct {
	source Source
	boards []*Board
	wake   chan struct{}
}

// NewWatch returns a watch that has not started.
func NewWatch(source Source) *Watch {
	return &Watch{source: source, wake: make(chan struct{}, 1)}
}

// Board returns a new board. Call it before Run.
func (w *Watch) Board() *Board {
	b := &Board{wake: w.wake, asked: map[types.NamespacedName][]asked{}}
	w.boards = append(w.boards, b)
	return b
}

// Run reads until ctx ends: seldom, and often while somebody waits for an answer to change.
func (w *Watch) Run(ctx context.Context) {
	var view View
	anew := true
	for {
		reports, err := w.read(ctx, anew)
		if ctx.Err() != nil {
			return
		}
		anew = err != nil || !reports.Lost.Equal(view.Lost)
		view = view.next(reading{reports: reports, err: err, at: time.Now()})
		urgent := false
		for _, b := range w.boards {
			b.show(view)
			urgent = urgent || b.isUrgent(time.Now())
		}
		w.pause(ctx, urgent)
	}
}

// read reads the reports. On the first time, after a failure and once when reports are lost, the server may be another one, or have
// restarted, without our buckets.
func (w *Watch) read(ctx context.Context, anew bool) (route.Reports, error) {
	ctx, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	if anew {
		if err := w.source.Wait(ctx); err != nil {
			return route.Reports{}, err
		}
		if err := w.source.EnsureBuckets(ctx); err != nil {
			return route.Reports{}, err
		}
	}
	return w.source.LatestReports(ctx)
}

func (w *Watch) pause(ctx context.Context, urgent bool) {
	wait := readSeldom
	if urgent {
		wait = readOften
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-w.wake:
		if !urgent {
			return
		}
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}
