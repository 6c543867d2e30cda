package status

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/stats"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// What several processes have counted is added up, page by page; one that does not answer is named.
func TestCountAddsUpWhatTheProcessesSay(t *testing.T) {
	c := jstest.Connect(t, natstest.Start(t, nil))

	broker := route.Address{Key: route.Key{Kind: route.KindBroker, Namespace: "shop", Name: "orders"}}
	s := Status{Addresses: []AddressStatus{{Address: broker}}}
	for _, name := range jstest.IDs(0, 300) {
		s.Targets = append(s.Targets, TargetStatus{Target: route.Target{Key: route.TargetKey{Address: broker.Key, Namespace: "shop", Name: name}}})
	}
	before := c.Conn().NumSubscriptions()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, id := range []string{"one", "two"} {
		table := jstest.Table(broker)
		for _, target := range s.Targets {
			table.Apply(naming.TargetKey(target.Key), 1, route.Record{Target: &target.Target})
		}
		for _, target := range table.Snapshot().Targets {
			target.Counts.Deliver()
			target.Counts.Fail(count.Timeout, count.Failure{Message: string(make([]byte, 200))})
		}
		p := stats.Process{Client: c, Role: route.RoleFilter, ID: id, Table: table}
		running.Go(func() { p.Answer(ctx) })
		s.live = append(s.live, route.Report{Role: route.RoleFilter, ID: id})
	}
	defer func() { stop(); running.Wait() }()
	jstest.Await(t, "both listen", func() bool { return c.Conn().NumSubscriptions() == before+2 })
	s.live = append(s.live, route.Report{Role: route.RoleFilter, ID: "silent"})

	silent, err := s.Count(jstest.Context(t), c, 1)
	jstest.Must(t, err)
	if !slices.Equal(silent, []string{"filter silent"}) {
		t.Errorf("%q do not answer, want the filter silent", silent)
	}
	for _, target := range s.Targets {
		if n := target.Numbers; n.Delivered != 2 || n.Failed["timeout"] != 2 {
			t.Fatalf("%s has %+v, want twice what each has counted", target.Key, n)
		}
	}
	if n := s.Addresses[0].Targets.Delivered; n != 600 || s.Since.IsZero() {
		t.Errorf("the Broker has %d delivered since %s, want 600", n, s.Since)
	}
}
