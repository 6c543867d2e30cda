package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
)

// benchBar shows a bar on a terminal; else it shows nothing.
type benchBar struct {
	bar   *progressbar.ProgressBar
	title string
}

// benchBarSteps is how finely the bar is divided.
const benchBarSteps = 1000

func newBenchBar(out io.Writer, title string) *benchBar {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return &benchBar{}
	}
	return &benchBar{title: title, bar: progressbar.NewOptions(benchBarSteps, progressbar.OptionSetWriter(out),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))}
}

// show is a bench.Options.Progress.
func (b *benchBar) show(p bench.Progress) {
	if b.bar == nil {
		return
	}
	b.bar.Describe(fmt.Sprintf("%s%s: %d accepted, %d of %d arrived", b.title, p.Stage, p.Accepted, p.Settled, p.Expected))
	_ = b.bar.Set(int(p.Done * benchBarSteps)) // a bar that can't be drawn is no reason to stop
}

// finish removes the bar.
func (b *benchBar) finish() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
