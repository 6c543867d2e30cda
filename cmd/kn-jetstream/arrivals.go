package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/display"
)

const (
	// arrivalPoll is how often a counter is asked, arrivalPatience how long it may stand still before the wait is given up.
	arrivalPoll     = 200 * time.Millisecond
	arrivalPatience = 60 * time.Second
)

// arrivals compares what was accepted with what a counter of kn-jetstream run (/-/count/NAME) has got.
type arrivals struct {
	url    string
	before display.Count
}

// watchArrivals reads where the counter stands before the first event is sent.
func watchArrivals(ctx context.Context, url string) (*arrivals, error) {
	a := &arrivals{url: url}
	var err error
	a.before, err = a.read(ctx)
	return a, err
}

// read asks the counter. One that cannot be reached may be about to start, or its Service about to know it: it is asked again for a
// while.
func (a *arrivals) read(ctx context.Context) (display.Count, error) {
	ctx, cancel := context.WithTimeout(ctx, connectBudget)
	defer cancel()
	tick := time.NewTicker(arrivalPoll)
	defer tick.Stop()
	for {
		count, err := a.readOnce(ctx)
		if _, unreachable := errors.AsType[*net.OpError](err); !unreachable {
			return count, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return count, err
		}
	}
}

func (a *arrivals) readOnce(ctx context.Context) (display.Count, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return display.Count{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return display.Count{}, err
	}
	defer response.Body.Close()
	var count display.Count
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&count); err != nil {
		return display.Count{}, fmt.Errorf("%s does not count events: status %d: %w", a.url, response.StatusCode, err)
	}
	return count, nil
}

// await returns when as many different events have arrived as were accepted, and prints the sum; an error when the counter
// stands still before that. When ctx ends, what has arrived until then is printed all the same.
func (a *arrivals) await(ctx context.Context, accepted int, out io.Writer) error {
	began, moved, last := time.Now(), time.Now(), 0
	tick := time.NewTicker(arrivalPoll)
	defer tick.Stop()
	for {
		now, err := a.read(context.WithoutCancel(ctx)) // it has a deadline of its own
		if err != nil {
			return err
		}
		arrived := now.Events - a.before.Events
		if arrived != last {
			last, moved = arrived, time.Now()
		}
		if arrived >= accepted || time.Since(moved) > arrivalPatience || ctx.Err() != nil {
			repeated := now.Requests - a.before.Requests - arrived
			fmt.Fprintf(out, "arrived %d of %d, %d repeated, %s %d\n", arrived, accepted, repeated, missing(ctx), max(accepted-arrived, 0))
			if arrived < accepted {
				return fmt.Errorf("%d accepted events have not arrived after %s", accepted-arrived, time.Since(began).Round(time.Second))
			}
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// missing says what became of events that have not arrived: who did not wait for them cannot call them lost.
func missing(ctx context.Context) string {
	if ctx.Err() != nil {
		return "outstanding"
	}
	return "lost"
}
