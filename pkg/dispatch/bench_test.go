package dispatch_test

import (
	"context"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// BenchmarkDispatch is the pool's own share of a delivery: source, sender and store cost nothing.
func BenchmarkDispatch(b *testing.B) {
	broker := newMemory(b.N)
	pool, err := dispatch.NewPool(dispatch.Config{Opener: broker, Store: broker, Sender: instant{}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	pool.Sync(b.Context(), []route.Target{{
		Key: route.TargetKey{Name: "t"}, Consumer: "t", Counts: &count.Target{}, Subscriber: &route.Destination{URL: "http://subscriber.test/"},
	}})
	<-broker.done
	b.StopTimer()
	pool.Drain(b.Context())
}

// instant accepts every event.
type instant struct{}

func (instant) Send(context.Context, dispatch.Request) dispatch.Response {
	return dispatch.Response{StatusCode: 202}
}
