package owner

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
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
			jstest.Must(i.t, i.client.JetStream().DeleteKeyValue(jstest.Context(i.t), i.client.Names().PositionsBucket()))
			i.owner = New(i.client, "tests", shortGrace)
			i.put(i.trigger("another"))
		}},
	} {
		t.Run(again.name, func(t *testing.T) {
			t.Parallel()
			i := install(t, brisk)
			one := i.put(i.trigger("one"))
			p := i.process(i.client)
			p.knows(one)
			source := p.Log(one)
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
	i := install(t, brisk)
	one := i.put(i.trigger("one"))
	i.publish(0, 10, "a")
	bucket, err := i.client.JetStream().KeyValue(jstest.Context(t), i.client.Names().RoutesBucket())
	jstest.Must(t, err)
	jstest.Must(t, bucket.Purge(jstest.Context(t), routes.RecordKey(route.Record{Target: &one})))
	again := i.put(i.trigger("one"))
	if again.Consumer != one.Consumer || again.After > one.After {
		t.Errorf("its consumer is %s, after %d; want the one before, after %d at most", again.Consumer, again.After, one.After)
	}
	p := i.process(i.client)
	p.knows(again)
	takeAll(t, p.Log(again), 0, 10)
}

// A filter that starts asks who shares: it must not take a target for none because its record was deleted by hand.
func TestAMemberWhoseRecordIsLostStaysOneForAWhile(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	lost, other := i.put(i.trigger("lost")), i.put(i.trigger("other"))
	i.deleteByHand(routes.RecordKey(route.Record{Target: &lost}))
	i.owner.client.Timing().StrayPatience = time.Hour
	i.sweep()
	if have := i.members(); len(have) != 2 {
		t.Fatalf("the members are %v, want both", have)
	}
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), other.Key))
	i.sweep()
	i.publish(0, 10, "a")
	if floor, err := trim.Once(jstest.Context(t), i.client, i.broker, 1); err != nil || floor != 0 {
		t.Errorf("trimmed up to %d, error %v: the one without a record has not got it", floor, err)
	}
	i.owner.client.Timing().StrayPatience = 0
	i.sweep()
	if left := i.consumersLeft(); left != 0 {
		t.Errorf("%d consumers are left; they hold the log for ever", left)
	}
	if floor, err := trim.Once(jstest.Context(t), i.client, i.broker, 1); err != nil || floor == 0 {
		t.Errorf("trimmed up to %d, error %v; want all", floor, err)
	}
}

func TestASweepWritesMembersAgainThatAreMissing(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	i.put(i.trigger("one"))
	i.put(i.trigger("two"))
	before := i.members()
	info, err := i.owner.sharedConsumer(jstest.Context(t), i.broker.Key)
	jstest.Must(t, err)
	info.Config.Metadata = withoutMember(info.Config.Metadata, before...)
	_, err = i.client.JetStream().UpdateConsumer(jstest.Context(t), i.client.Names().Log(i.broker.Key), info.Config)
	jstest.Must(t, err)
	if have := i.members(); len(have) != 0 {
		t.Fatalf("the members are %v", have)
	}
	i.sweep()
	if have := i.members(); !slices.Equal(have, before) {
		t.Errorf("the members are %v, want %v", have, before)
	}
}

func TestAnAddressHasNoMoreTargetsThanItsConsumerCanName(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	one := i.put(i.trigger("one"))
	info, err := i.owner.sharedConsumer(jstest.Context(t), i.broker.Key)
	jstest.Must(t, err)
	var many []string
	for n := range maxMembers - 1 {
		many = append(many, fmt.Sprintf("%08d", n))
	}
	info.Config.Metadata = withMember(info.Config.Metadata, many...)
	_, err = i.client.JetStream().UpdateConsumer(jstest.Context(t), i.client.Names().Log(i.broker.Key), info.Config)
	jstest.Must(t, err) // NATS takes so many
	i.put(one)
	if _, err := i.owner.PutTarget(jstest.Context(t), i.trigger("another")); !errors.Is(err, ErrTooManyTargets) {
		t.Errorf("error %v, want ErrTooManyTargets", err)
	}
}

func TestATargetThatSharesGetsWhatALogHoldsThatSomebodyMadeAnew(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	i.publish(0, 100, "a")
	one := i.put(i.trigger("one"))
	log := i.client.Names().Log(i.broker.Key)
	stream, err := i.client.JetStream().Stream(jstest.Context(t), log)
	jstest.Must(t, err)
	jstest.Must(t, i.client.JetStream().DeleteStream(jstest.Context(t), log))
	_, err = i.client.JetStream().CreateStream(jstest.Context(t), stream.CachedInfo().Config)
	jstest.Must(t, err)
	i.sweep()
	p := i.process(i.client)
	p.knows(i.recorded(one.Key))
	source := p.Log(one)
	i.publish(0, 10, "a")
	takeAll(t, source, 0, 10)
}

// After an outage of NATS a process reads on only when it knows again that it knows every target.
func TestAnOutageEndsTheTrustThatEveryTargetIsKnown(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	one := i.put(i.trigger("one"))
	p := i.distrustful(i.client)
	var changes atomic.Int64
	p.OnChange(func() { changes.Add(1) })
	p.knows(one)
	p.TrustUntil(time.Now().Add(time.Hour), p.Heard())
	source := p.Log(one)
	i.stop()
	before := changes.Load()
	i.restart()
	jstest.Await(t, "somebody is told", func() bool { return changes.Load() > before })
	i.publish(0, 10, "a")
	if p.Trusted() {
		t.Error("it still trusts that it knows every target")
	}
	p.TrustUntil(time.Now().Add(time.Hour), p.Heard())
	takeAll(t, source, 0, 10)
}

// Each target is a member a moment before its record is there. Targets that are made one after the other keep no filter that starts from
// reading: what counts is a member without a record that stays one.
func TestTargetsThatAreBeingMadeKeepNobodyFromReading(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	one := i.put(i.trigger("one"))
	known := []route.Target{one}
	enter := func(n int) {
		next := i.trigger(fmt.Sprint("next-", n))
		jstest.Must(t, i.owner.enter(jstest.Context(t), next))
		known = append(known, next)
	}
	enter(0)
	p := i.process(i.client)
	p.knows(one)
	i.publish(0, 5, "a")
	source := p.Log(one)
	for n := 1; ; n++ {
		enter(n)
		p.knows(known[:len(known)-1]...)
		if m, ok := poll(source, 300*time.Millisecond); ok {
			jstest.Must(t, m.Ack())
			return
		}
		if n == 60 {
			t.Fatal("nothing is read while targets are being made")
		}
	}
}
