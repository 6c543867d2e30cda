package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// TestWatchShowsWhatHasChanged looks again and again at a Broker whose oldest event becomes older all the time.
func TestWatchShowsWhatHasChanged(t *testing.T) {
	errAway := errors.New("NATS is away")
	for _, output := range []string{"", "wide", "json", "yaml"} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			accepted := func(n uint64) status.Status {
				return status.Status{Addresses: []status.AddressStatus{{
					Address: route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}},
					Numbers: count.AddressNumbers{Accepted: n, Failures: []count.Failure{{At: began}}}, Oldest: began.Add(-time.Minute),
				}}}
			}
			looks := []struct {
				all    status.Status
				silent []string
				err    error
				shows  int // so far
			}{
				{all: accepted(1), shows: 1},
				{all: accepted(1), shows: 1},
				{all: accepted(2), shows: 2},
				{all: accepted(2), silent: []string{"ingress one"}, shows: 3},
				{all: accepted(2), silent: []string{"ingress one"}, shows: 3},
				{all: accepted(2), shows: 4},
				{err: errAway, shows: 4},
			}
			var out, errs strings.Builder
			look := 0
			v := view{shown: shown{what: "brokers", output: output}, out: &out, errs: &errs, read: func(context.Context) (status.Status, []string, error) {
				if look > 0 && strings.Count(out.String(), "orders") != looks[look-1].shows {
					t.Errorf("after look %d the output is\n%s", look, &out)
				}
				look++
				l := looks[look-1]
				return l.all, l.silent, l.err
			}}
			if err := v.watch(t.Context()); !errors.Is(err, errAway) || look != len(looks) {
				t.Errorf("after %d looks it ends with %v", look, err)
			}
			if took := time.Since(began); took != time.Duration(len(looks)-1)*watchEvery {
				t.Errorf("%d looks took %s", len(looks), took)
			}
			if documents := strings.Count(out.String(), "---\n"); output == "yaml" && documents != 4 {
				t.Errorf("%d documents begin in\n%s", documents, &out)
			}
			if said := errs.String(); said != "ingress one does not say what it has counted: the numbers are without it\n" {
				t.Errorf("of who is silent it says %q", said)
			}
		})
	}
}

// TestGetWatchGoesOnUntilInterrupted sees a Broker appear that is applied meanwhile.
func TestGetWatchGoesOnUntilInterrupted(t *testing.T) {
	t.Parallel()
	nats := natstest.Start(t, nil)
	out, in := io.Pipe()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	ended := make(chan error, 1)
	go func() {
		root := newRootCommand()
		root.SetArgs([]string{"get", "brokers", "-w", "--nats", nats.URL()})
		root.SetOut(in)
		root.SetErr(io.Discard)
		ended <- root.ExecuteContext(ctx)
		_ = in.Close()
	}()
	var seen []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		seen = append(seen, strings.Join(strings.Fields(lines.Text()), " "))
		switch len(seen) {
		case 1:
			if _, err := execute(t, "apply", "-f", filepath.Join("..", "..", "examples", "quickstart"), "--nats", nats.URL()); err != nil {
				t.Error(err)
				interrupt()
			}
		case 3: // the head, the head again, and the Broker
			interrupt()
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("interrupted, it ends with %v", err)
	}
	if len(seen) != 3 || !strings.HasPrefix(seen[0], "NAMESPACE NAME READY") || seen[1] != seen[0] || !strings.HasPrefix(seen[2], "default default false") {
		t.Errorf("it shows %q", seen)
	}
}
