package jetstream

import (
	"slices"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

func TestASharedConsumerThatIsDeletedByHandGoesOnWhereItStood(t *testing.T) {
	t.Parallel()
	for _, again := range []struct {
		name string
		do   func(*installation, route.Target)
	}{
		{"by a sweep", func(i *installation, _ route.Target) { i.sweep() }},
		{"by a put", func(i *installation, target route.Target) { i.put(target) }},
		{"by a put of another Trigger, when nobody knows where it stood", func(i *installation, _ route.Target) {
			must(i.t, i.client.js.DeleteKeyValue(budgetOf(i.t), i.client.names.PositionsBucket()))
			i.owner = i.client.NewOwner("tests", shortGrace)
			i.put(i.trigger("another"))
		}},
	} {
		t.Run(again.name, func(t *testing.T) {
			t.Parallel()
			i := install(t, sociable)
			one := i.put(i.trigger("one"))
			p := i.sharer(i.client)
			p.knows(one)
			source := p.open(one)
			i.publish(0, 10, "a")
			takeAll(t, source, 0, 10)
			i.consumerIsDone(one)
			i.sweep()
			i.removeConsumer(one)
			i.publish(10, 20, "a")
			again.do(i, one)
			takeAll(t, source, 10, 20)
		})
	}
}

func TestATargetThatSharesKeepsItsPlaceWhenItsRecordIsLost(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	one := i.put(i.trigger("one"))
	i.publish(0, 10, "a")
	bucket, err := i.client.js.KeyValue(budgetOf(t), i.client.names.RoutesBucket())
	must(t, err)
	must(t, bucket.Purge(budgetOf(t), recordKey(route.Record{Target: &one})))
	again := i.put(i.trigger("one"))
	if !again.Shared || again.After != one.After {
		t.Errorf("it shares: %v, after %d; want it as before, after %d", again.Shared, again.After, one.After)
	}
	p := i.sharer(i.client)
	p.knows(again)
	takeAll(t, p.open(again), 0, 10)
}

func TestATargetThatSharesEndsThoughThereMayBeNoFurtherConsumer(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	i.broker.Key.Name, i.broker.Log.MaxConsumers = "narrow", 1
	i.putBroker()
	one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
	must(t, i.owner.RemoveTarget(budgetOf(t), one.Key))
	i.sweep()
	if !i.has(other) {
		t.Error("the shared consumer is gone")
	}
	if again := i.put(i.trigger("one")); !again.Shared {
		t.Error("one that comes again does not share")
	}
}

func TestATargetThatSharedAndHasNoRecordIsFound(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	one := i.put(i.trigger("one"))
	i.deleteByHand(recordKey(route.Record{Target: &one}))
	must(t, i.owner.RemoveTarget(budgetOf(t), one.Key)) // nothing to be seen
	found, err := i.owner.Unrecorded(budgetOf(t))
	must(t, err)
	if len(found) != 1 || found[0].Target == nil || found[0].Target.Key != one.Key || found[0].Target.UID != one.UID {
		t.Fatalf("found %+v, want %s", found, one.Key)
	}
	must(t, i.owner.End(budgetOf(t), found[0]))
	i.sweep()
	if left := i.consumersLeft(); left != 0 {
		t.Errorf("%d consumers are left; they hold the log for ever", left)
	}
}

// A filter that starts asks who shares: it must not take a target for none because its record, or where it stood, was deleted by hand.
func TestWhoSharesIsKnownWhateverIsLost(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	two := i.put(i.trigger("two"))
	i.sweep()
	for _, lose := range []struct {
		name                       string
		do                         func()
		shares, wantLive, recorded bool
	}{
		{"nothing", func() {}, true, true, true},
		{"its record", func() { i.deleteByHand(recordKey(route.Record{Target: &two})) }, true, false, false},
		{"the positions, which a sweep writes again", func() {
			must(t, i.client.js.DeleteKeyValue(budgetOf(t), i.client.names.PositionsBucket()))
			i.sweep()
			i.put(two)
			i.sweep()
		}, true, true, true},
		{"it, by its end", func() { must(t, i.owner.RemoveTarget(budgetOf(t), two.Key)) }, false, false, true},
	} {
		lose.do()
		sharing, err := i.client.Sharing(budgetOf(t))
		must(t, err)
		if shares := slices.Contains(sharing, two.Key); shares != lose.shares {
			t.Errorf("lost %s: it shares: %v, want %v", lose.name, shares, lose.shares)
		}
		live, recorded, err := i.client.IsLive(budgetOf(t), two.Key)
		must(t, err)
		if live != lose.wantLive || recorded != lose.recorded {
			t.Errorf("lost %s: live %v, recorded %v; want %v, %v", lose.name, live, recorded, lose.wantLive, lose.recorded)
		}
	}
}

func TestATargetThatSharesGetsWhatALogHoldsThatSomebodyMadeAnew(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	i.publish(0, 100, "a")
	one := i.put(i.trigger("one"))
	log := i.client.names.Log(i.broker.Key)
	stream, err := i.client.js.Stream(budgetOf(t), log)
	must(t, err)
	must(t, i.client.js.DeleteStream(budgetOf(t), log))
	_, err = i.client.js.CreateStream(budgetOf(t), stream.CachedInfo().Config)
	must(t, err)
	i.sweep()
	p := i.sharer(i.client)
	p.knows(i.recorded(one.Key))
	source := p.open(one)
	i.publish(0, 10, "a")
	takeAll(t, source, 0, 10)
}

// After an outage of NATS a process reads on only when it knows again that it knows every target.
func TestAnOutageEndsTheWordThatEveryTargetIsKnown(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	one := i.put(i.trigger("one"))
	p := i.sharer(i.client)
	lapsed := make(chan struct{}, 10)
	p.OnLapse(func() { lapsed <- struct{}{} })
	p.knows(one)
	source := p.open(one)
	i.stop()
	i.restart()
	select {
	case <-lapsed:
	case <-time.After(patience):
		t.Fatal("nobody is told")
	}
	i.publish(0, 10, "a")
	if p.Attested() {
		t.Error("it still knows every target")
	}
	p.Attest(time.Now().Add(time.Hour))
	takeAll(t, source, 0, 10)
}
