package main

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows a bar on a terminal for a run that lasts longer than a second; else it shows nothing.
type progress struct {
	doing   string
	done    atomic.Int64
	stop    chan struct{}
	running sync.WaitGroup
}

// newProgress starts to watch what is being done; finish must be called.
func newProgress(out io.Writer, doing string, total int) *progress {
	p := &progress{doing: doing, stop: make(chan struct{})}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.running.Go(func() { p.show(out, total) })
	}
	return p
}

// add counts events that are done. Safe for concurrent use.
func (p *progress) add(events int) { p.done.Add(int64(events)) }

// finish removes the bar and returns when it is gone.
func (p *progress) finish() {
	close(p.stop)
	p.running.Wait()
}

func (p *progress) show(out io.Writer, total int) {
	select {
	case <-p.stop:
		return
	case <-time.After(time.Second):
	}
	bar := progressbar.NewOptions(total,
		progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(p.doing), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString("events"), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true))
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		_ = bar.Set64(p.done.Load()) // a bar that can't be drawn is no reason to stop sending
		select {
		case <-p.stop:
			_ = bar.Clear()
			return
		case <-ticker.C:
		}
	}
}
