// Package loop holds what loops in the background share: to wait for the next round, and to report a failure once.
package loop

import (
	"context"
	"time"
)

// Sleep waits until d has passed or ctx ends, and reports whether d has passed before ctx ended. A d of zero or less has passed.
func Sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Notify puts a token into the channel, which has room for one, unless there is one: whoever receives it looks for all that there is
// to do.
func Notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Failure is what keeps a loop from reporting the same failure in each round. The zero Failure has seen no error. It is not safe
// for concurrent use.
type Failure struct{ text string }

// IsNew reports whether err has another text than the error of the round before. Each round calls IsNew, with nil after a
// success: then a failure that comes back is new.
func (f *Failure) IsNew(err error) bool {
	isNew, _ := f.Changed(err)
	return isNew
}

// Changed is IsNew for a loop that reports the end of a failure as well.
func (f *Failure) Changed(err error) (isNew, isOver bool) {
	before := f.text
	if f.text = ""; err != nil {
		f.text = err.Error()
	}
	return err != nil && f.text != before, err == nil && before != ""
}
