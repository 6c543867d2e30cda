// Package loop has what background loops share: waiting, and reporting a failure once.
package loop

import (
	"context"
	"time"
)

// Sleep waits until d has passed or ctx ends, and reports whether d passed first; d <= 0 has
// passed.
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

// Notify puts a token into the channel, whose capacity is one, unless the channel has a token. The
// receiver of a token must look for all work there is.
func Notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Failure keeps a loop from reporting the same failure in each round. The zero Failure has seen no
// error. Not safe for concurrent use.
type Failure struct{ text string }

// IsNew reports whether the text of err differs from the previous round's. Call it in each round,
// with nil after a success: a failure after a success is new.
func (f *Failure) IsNew(err error) bool {
	isNew, _ := f.Changed(err)
	return isNew
}

// Changed is IsNew that also reports the end of a failure.
func (f *Failure) Changed(err error) (isNew, isOver bool) {
	before := f.text
	if f.text = ""; err != nil {
		f.text = err.Error()
	}
	return err != nil && f.text != before, err == nil && before != ""
}
