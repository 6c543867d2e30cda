package owner

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// successor is a Broker of the same name that wants another storage, after the first one was deleted.
func (i *installation) successor() (route.Address, *PredecessorError) {
	i.t.Helper()
	next := i.broker
	next.UID, next.Log.Memory = "another", true
	_, err := i.owner.PutAddress(jstest.Context(i.t), next)
	var before *PredecessorError
	if !errors.As(err, &before) || !errors.Is(err, ErrImmutable) || before.UID != i.broker.UID || before.Field != "storage" {
		i.t.Fatalf("error %v, want one that names the storage and the Broker before", err)
	}
	return next, before
}

// endedFor writes the tombstone as if the route had ended so long ago.
func (i *installation) endedFor(d time.Duration) {
	i.t.Helper()
	have, found, err := Record(jstest.Context(i.t), i.client, naming.AddressKey(i.broker.Key))
	jstest.Must(i.t, err)
	if !found || have.DeletedAt == nil {
		i.t.Fatalf("the route of the Broker before has not ended: %+v", have)
	}
	ago := time.Now().Add(-d)
	have.DeletedAt = &ago
	_, err = i.owner.PutRecord(jstest.Context(i.t), have.Record)
	jstest.Must(i.t, err)
}

func TestASuccessorWaitsForWhatIsUndelivered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		// hold leaves something behind that somebody waits for.
		hold func(*testing.T, *installation, route.Target)
		ago  time.Duration
		deaf bool
		gone bool
	}{
		{name: "all is delivered, but not every process has heard of the end", hold: nothing, deaf: true, ago: time.Second},
		{name: "all is delivered", hold: nothing, ago: time.Second, gone: true},
		{name: "an event in the log", hold: func(_ *testing.T, i *installation, _ route.Target) { i.publish(0, 1, "a") }, ago: time.Second},
		{name: "a parked event", hold: func(t *testing.T, i *installation, all route.Target) {
			_, err := i.client.JetStream().Publish(jstest.Context(t), i.client.Names().DirectedSubject(all.Key), nil)
			jstest.Must(t, err)
		}, ago: time.Second},
		{name: "a dead letter", hold: func(t *testing.T, i *installation, all route.Target) {
			store := storeOf(t, i.client, jstest.Table(i.broker))
			jstest.Must(t, store.DeadLetter(jstest.Context(t), all, jstest.Work("1", 1)))
		}, ago: time.Second},
		{name: "a cursor that is to come back", hold: func(_ *testing.T, i *installation, all route.Target) {
			i.publish(0, 1, "a")
			i.removeConsumer(all)
		}, ago: time.Second},
		{name: "the grace period is over", hold: func(_ *testing.T, i *installation, _ route.Target) { i.publish(0, 1, "a") },
			ago: 2 * time.Hour, gone: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			i.graceful()
			all := i.put(i.trigger("all"))
			next, before := i.successor()
			var revision atomic.Uint64
			r, stop := report(i.client, "deaf", &revision)
			r.Changed()
			jstest.Await(t, "its report", func() bool { return len(i.reports()) == 1 })
			if until, err := i.owner.EndPredecessor(jstest.Context(t), next, before); err != nil || time.Until(until) < 50*time.Minute {
				t.Fatalf("until %s, error %v: want the grace period", until, err)
			}
			if c.deaf {
				t.Cleanup(stop)
			} else {
				stop()
			}
			c.hold(t, i, all)
			i.endedFor(c.ago)
			until, err := i.owner.EndPredecessor(jstest.Context(t), next, before)
			if err != nil || until.IsZero() != c.gone {
				t.Fatalf("until %s, error %v; want it gone: %t", until, err, c.gone)
			}
			if !c.gone {
				if i.stream(i.client.Names().Log(i.broker.Key)).Storage != natsjs.FileStorage {
					t.Error("the log is another one")
				}
				return
			}
			_, err = i.owner.PutAddress(jstest.Context(t), next)
			jstest.Must(t, err)
			i.put(all)
			i.publish(10, 20, "a")
			source := open(t, i.client, all, 10)
			defer source.Stop()
			takeAll(t, source, 10, 20)
		})
	}
}

func nothing(*testing.T, *installation, route.Target) {}

// A record that was deleted by hand leaves the streams: they go all the same.
func TestAPredecessorWithoutARecordIsEnded(t *testing.T) {
	t.Parallel()
	i := install(t)
	next, before := i.successor()
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(t), i.client.Names().RoutesBucket())
	jstest.Must(t, err)
	jstest.Must(t, bucket.Delete(jstest.Context(t), naming.AddressKey(i.broker.Key)))
	until, err := i.owner.EndPredecessor(jstest.Context(t), next, before)
	if err != nil || !until.IsZero() {
		t.Errorf("until %s, error %v; want it gone, since the grace period is short", until, err)
	}
	_, err = i.owner.PutAddress(jstest.Context(t), next)
	jstest.Must(t, err)
}

func TestALiveResourceIsNoPredecessor(t *testing.T) {
	t.Parallel()
	i := install(t)
	changed := i.broker
	changed.Log.Memory = true
	_, err := i.owner.PutAddress(jstest.Context(t), changed)
	var before *PredecessorError
	if !errors.Is(err, ErrImmutable) || errors.As(err, &before) || !strings.HasSuffix(err.Error(), "storage") {
		t.Errorf("error %v, want ErrImmutable of the Broker's own log", err)
	}
	// Not even when somebody insists.
	_, err = i.owner.EndPredecessor(jstest.Context(t), changed, &PredecessorError{Stream: "s", Field: "storage", UID: "nobody"})
	if err == nil {
		t.Error("the route of a live Broker was ended")
	}
	other := New(i.client, "somebody else", shortGrace)
	if _, err := other.EndPredecessor(jstest.Context(t), changed, &PredecessorError{}); !errors.Is(err, ErrForeignRoute) {
		t.Errorf("error %v, want ErrForeignRoute", err)
	}
	i.publish(0, 1, "a")
}
