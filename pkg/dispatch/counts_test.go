package dispatch

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Each end of an event, and each failed attempt on the way there, is counted once.
func TestCounts(t *testing.T) {
	retries := delivery.Policy{Retry: 2, Backoff: delivery.LinearBackoff, Delay: time.Second}
	slow := delivery.Policy{Retry: 1, Backoff: delivery.ExponentialBackoff, Delay: time.Hour}
	brief := delivery.Policy{Timeout: time.Second}
	noAnswer := func(context.Context, int, Request) Response { return Response{Err: errInjected} }
	for _, test := range []struct {
		name   string
		target route.Target
		host   host
		want   count.TargetNumbers
	}{
		{"delivered", target("t"), status(202), count.TargetNumbers{Delivered: 1}},
		{"delivered at the third attempt", withPolicy(target("t"), retries), status(503, 404, 200),
			count.TargetNumbers{Delivered: 1, Failed: map[string]uint64{"4xx": 1, "5xx": 1}}},
		{"delivered after it was parked", withPolicy(target("t"), slow), status(503, 200),
			count.TargetNumbers{Delivered: 1, Parked: 1, Failed: map[string]uint64{"5xx": 1}}},
		{"kept as a dead letter", target("t"), status(400), count.TargetNumbers{Dead: 1, Failed: map[string]uint64{"4xx": 1}}},
		{"taken by the sink", withSink(target("t")), status(302), count.TargetNumbers{Dead: 1, Failed: map[string]uint64{"other-status": 1}}},
		{"no answer in time", withPolicy(target("t"), brief), hang, count.TargetNumbers{Dead: 1, Failed: map[string]uint64{"timeout": 1}}},
		{"no answer", target("t"), noAnswer, count.TargetNumbers{Dead: 1, Failed: map[string]uint64{"no-response": 1}}},
		{"a reply that is none", target("t"), textReply, count.TargetNumbers{Dead: 1, Failed: map[string]uint64{"reply": 1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.hosts[subscriberURL], w.hosts[sinkURL] = test.host, status(200)
				test.target.Counts = &count.Target{}
				w.publish(test.target, "e")
				pool := startPool(t, newProcess(w))
				pool.Sync(t.Context(), []route.Target{test.target})
				w.awaitSettled(t, test.target)
				synctest.Wait()
				got := test.target.Counts.Read(1)
				failures := got.Failures
				got.Failures = nil
				if !reflect.DeepEqual(got, test.want) {
					t.Errorf("counted %+v, want %+v", got, test.want)
				}
				if len(test.want.Failed) > 0 && (len(failures) != 1 || failures[0].Message == "" || failures[0].Event != "e") {
					t.Errorf("the last failure is %+v, want one of the event e", failures)
				}
			})
		})
	}
}

// textReply answers with a text where a CloudEvent or nothing is expected.
func textReply(context.Context, int, Request) Response {
	return Response{StatusCode: 200, Body: []byte("thank you")}
}

// What is on its way is seen while it is.
func TestCountsOfWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.hosts[subscriberURL] = func(ctx context.Context, n int, r Request) Response {
			if r.Event.Attr("id") == "hangs" {
				return hang(ctx, n, r)
			}
			return status(503)(ctx, n, r)
		}
		tt := withPolicy(target("t"), delivery.Policy{Retry: 9, Backoff: delivery.LinearBackoff, Delay: 8 * time.Second, Timeout: time.Hour})
		tt.Counts = &count.Target{}
		w.publish(tt, "hangs", "fails", "fails too")
		pool := startPool(t, newProcess(w))
		pool.Sync(t.Context(), []route.Target{tt})
		synctest.Wait()
		if n := tt.Counts.Read(0); n.InFlight != 1 || n.Retrying != 2 {
			t.Errorf("%d in flight and %d retrying, want 1 and 2", n.InFlight, n.Retrying)
		}
		drainNow(pool)
		if n := tt.Counts.Read(0); n.InFlight != 0 || n.Retrying != 0 || n.Delivered != 0 {
			t.Errorf("after the drain the numbers are %+v", n)
		}
	})
}
