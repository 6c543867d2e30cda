package stats_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/stats"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

func connect(t *testing.T, s *natstest.Server) *jetstream.Client {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	jstest.Must(t, err)
	c, err := jetstream.Connect(jetstream.Options{URL: s.URL(), Names: names, Logger: slog.New(slog.DiscardHandler)})
	jstest.Must(t, err)
	t.Cleanup(c.Close)
	jstest.Must(t, c.Wait(jstest.Context(t)))
	return c
}

// answering runs a process that answers until the test ends.
func answering(t *testing.T, p stats.Process) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { p.Answer(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

// ask returns the pages of so many processes.
func ask(t *testing.T, c *jetstream.Client, processes int, asked stats.Request) map[string]stats.Page {
	t.Helper()
	inbox, err := c.Conn().SubscribeSync(nats.NewInbox())
	jstest.Must(t, err)
	defer func() { _ = inbox.Unsubscribe() }()
	data, err := json.Marshal(asked)
	jstest.Must(t, err)
	pages := map[string]stats.Page{}
	jstest.Await(t, "all answer", func() bool { // a process may not listen yet
		jstest.Must(t, c.Conn().PublishRequest(c.Names().StatsSubject(route.RoleFilter), inbox.Subject, data))
		for {
			m, err := inbox.NextMsg(jstest.Patience / 100)
			if err != nil {
				return len(pages) == processes
			}
			var page stats.Page
			if json.Unmarshal(m.Data, &page) == nil && page.ID != "" {
				if len(m.Data) > 100<<10 {
					t.Errorf("a page has %d bytes", len(m.Data))
				}
				pages[page.ID] = page
			}
			if len(pages) == processes {
				return true
			}
		}
	})
	return pages
}

func tableOf(brokers, triggers int) *route.Table {
	table := route.NewTable()
	for b := range brokers {
		address := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: fmt.Sprint("b", b)}}
		table.Apply(naming.AddressKey(address.Key), 1, route.Record{Address: &address})
		for n := range triggers {
			target := route.Target{Key: route.TargetKey{Address: address.Key, Namespace: "shop", Name: fmt.Sprint("t", n)}}
			table.Apply(naming.TargetKey(target.Key), 1, route.Record{Target: &target})
		}
	}
	return table
}

func TestEachProcessAnswersForItself(t *testing.T) {
	s := natstest.Start(t, nil)
	for i, id := range []string{"one", "two"} {
		table := tableOf(2, 2)
		for _, target := range table.Snapshot().Targets {
			if target.Key.Name == "t0" {
				for range i + 1 {
					target.Counts.Deliver()
				}
			}
		}
		answering(t, stats.Process{Client: connect(t, s), Role: route.RoleFilter, ID: id, Table: table})
	}
	c := connect(t, s)
	for id, page := range ask(t, c, 2, stats.Request{}) {
		want := map[string]uint64{"one": 1, "two": 2}[id]
		if len(page.Rows) != 2 || page.Next != "" || page.Role != route.RoleFilter || page.Since.IsZero() {
			t.Errorf("%s answers %+v, want a row for each of the two that have counted", id, page)
		}
		for _, row := range page.Rows {
			if row.Address != nil || row.Target == nil || row.Target.Delivered != want {
				t.Errorf("%s: row %+v, want %d delivered", id, row, want)
			}
		}
	}
	if pages := ask(t, c, 1, stats.Request{ID: "two"}); pages["two"].ID != "two" {
		t.Errorf("asked for two alone, %v answer", pages)
	}
}

// However much there is, a page is bounded, and the pages together are all of it.
func TestPagesAreBoundedAndComplete(t *testing.T) {
	s := natstest.Start(t, nil)
	table := tableOf(3, 200)
	for _, target := range table.Snapshot().Targets {
		for range count.KeptFailures {
			target.Counts.Fail(count.Timeout, count.Failure{Message: fmt.Sprintf("%0300d", 1)})
		}
	}
	for _, address := range table.Snapshot().Addresses {
		address.Counts.Accept(1)
	}
	answering(t, stats.Process{Client: connect(t, s), Role: route.RoleFilter, ID: "one", Table: table})
	c := connect(t, s)
	rows, pages := map[string]bool{}, 0
	for asked := (stats.Request{Failures: count.KeptFailures}); ; pages++ {
		page := ask(t, c, 1, asked)["one"]
		for _, row := range page.Rows {
			if rows[row.Key] {
				t.Errorf("%s comes twice", row.Key)
			}
			rows[row.Key] = true
			if row.Target != nil && len(row.Target.Failures) != count.KeptFailures {
				t.Errorf("%s has %d failures", row.Key, len(row.Target.Failures))
			}
		}
		if asked.After = page.Next; page.Next == "" {
			break
		}
	}
	if len(rows) != 603 || pages < 10 {
		t.Errorf("%d rows in %d pages, want 603 in more than 10", len(rows), pages+1)
	}
}
