package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

// watchEvery is the time between two looks of get --watch.
const watchEvery = 2 * time.Second

// view shows what read finds, and says on errs which processes are silent: their numbers are missing.
type view struct {
	shown
	read      func(context.Context) (all status.Status, silent []string, err error)
	out, errs io.Writer
}

func (v view) once(ctx context.Context) error {
	all, silent, err := v.read(ctx)
	if err != nil {
		return err
	}
	return v.show(all, silent, time.Now())
}

// watch shows what has changed until ctx ends. That something has become older is no change.
func (v view) watch(ctx context.Context) error {
	began, before := time.Now(), ""
	for {
		all, silent, err := v.read(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var text strings.Builder
		if err := (view{shown: v.shown, out: &text, errs: &text}).show(all, silent, began); err != nil {
			return err
		}
		if text.String() != before {
			before = text.String()
			if v.output == "yaml" {
				fmt.Fprintln(v.out, "---")
			}
			if err := v.show(all, silent, time.Now()); err != nil {
				return err
			}
		}
		loop.Sleep(ctx, watchEvery)
	}
}

func (v view) show(all status.Status, silent []string, now time.Time) error {
	saySilent(v.errs, silent)
	v.now = now
	return show(v.out, all, v.shown)
}

func saySilent(errs io.Writer, silent []string) {
	for _, who := range silent {
		fmt.Fprintf(errs, "%s does not say what it has counted: the numbers are without it\n", who)
	}
}
