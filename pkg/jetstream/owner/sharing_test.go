package owner

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/trim"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

func suffix(target route.Target, end string) route.Target {
	target.Filter = filter.Spec{Filters: []filter.Expression{{Suffix: map[string]string{event.Type: end}}}}
	return target
}

func TestAllTargetsOfAnAddressShareItsCursorButThoseThatBeginElsewhere(t *testing.T) {
	t.Parallel()
	i := install(t)
	channel := channelOf("c", route.Log{})
	i.putChannel(channel)
	for n := range 20 {
		name := strconv.Itoa(n)
		for _, one := range []route.Target{i.put(i.trigger("all-" + name)), i.put(i.trigger("narrow-"+name, name)), i.putSubscriber(subscriberOf(channel, name))} {
			if one.Consumer != i.client.Names().SharedConsumer() {
				t.Errorf("%s has the consumer %s, want the shared one", one.Key, one.Consumer)
			}
		}
	}
	if left := i.consumersLeft(); left != 1 {
		t.Errorf("the log has %d consumers, want one", left)
	}
	late := i.trigger("late", "a type")
	late.Start.Policy = route.StartAll
	late = i.put(late)
	if late.Consumer != i.client.Names().Consumer(late.Key) {
		t.Errorf("a Trigger that begins with old events has the consumer %s, which has passed them", late.Consumer)
	}
	if have := jetstream.FilterSubjects(i.consumerInfo(late).Config); len(have) > 0 {
		t.Errorf("the server filters %v: that changes at another moment than the filter of the processes", have)
	}
	late.Start = route.Start{}
	if again := i.put(late); again.Consumer != late.Consumer {
		t.Errorf("it has the consumer %s now, want the one that it had", again.Consumer)
	}
}

func TestATargetThatSharesGetsWhatMatchesAndCameAfterIt(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	early := i.put(suffix(i.trigger("early"), "x"))
	i.publish(0, 4, "a.x", "a.y") // 0 and 2 match
	late := i.put(suffix(i.trigger("late"), "x"))
	p := i.process(i.client)
	p.knows(early, late)
	first, second := p.Log(early), p.Log(late)
	i.publish(4, 8, "a.x", "a.y") // 4 and 6 match

	var got []string
	for range 4 {
		m := next(t, first)
		got = append(got, m.Event.Attr(event.ID))
		jstest.Must(t, m.Ack())
	}
	if want := []string{"0", "2", "4", "6"}; !slices.Equal(got, want) {
		t.Errorf("the early one got %v, want %v", got, want)
	}
	for _, want := range []string{"4", "6"} {
		m := next(t, second)
		if id := m.Event.Attr(event.ID); id != want {
			t.Errorf("the late one got %s, want %s", id, want)
		}
		jstest.Must(t, m.Ack())
	}
	i.consumerIsDone(early)
}

func TestTwoProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	one, two := i.put(i.trigger("one")), i.put(i.trigger("two"))
	got := map[string]<-chan string{}
	for name, c := range map[string]*jetstream.Client{"first": i.client, "second": dial(t, i.server, brisk)} {
		p := i.process(c)
		p.knows(one, two)
		got[name] = ackAll(t, p.Log(one))
		ackAll(t, p.Log(two))
	}
	i.publish(0, 200, "a")
	missing := map[string]bool{}
	for _, id := range jstest.IDs(0, 200) {
		missing[id] = true
	}
	for len(missing) > 0 {
		select {
		case id := <-got["first"]:
			delete(missing, id)
		case id := <-got["second"]:
			delete(missing, id)
		case <-time.After(jstest.Patience):
			t.Fatalf("%d events did not come", len(missing))
		}
	}
	i.consumerIsDone(one)
}

func TestAProcessThatMayNotKnowEveryTriggerReadsNoSharedConsumer(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	known, unknown := i.put(i.trigger("known")), i.put(i.trigger("unknown"))
	stale, informed := i.distrustful(i.client), i.process(dial(t, i.server, brisk))
	stale.knows(known)
	nothing := stale.Log(known)
	informed.knows(known, unknown)
	i.publish(0, 50, "a")
	source, other := informed.Log(known), informed.Log(unknown)
	takeAll(t, source, 0, 50)
	takeAll(t, other, 0, 50)
	if m, ok := nothing.Take(); ok {
		t.Errorf("it has taken event %s", m.Event.Attr(event.ID))
	}
	i.consumerIsDone(known)

	stale.knows(known, unknown)
	stale.trustful() // and now it reads
	informed.stop()
	i.publish(50, 60, "a")
	takeAll(t, nothing, 50, 60)
}

func TestATargetThatEndedStaysAMemberUntilItIsSwept(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	i.graceful()
	i.publish(0, 5, "a")
	one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
	tag := jetstream.MemberTag(one.Key)
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), one.Key))
	i.publish(5, 10, "a")
	i.sweep()
	if have := i.members(); !slices.Contains(have, tag) {
		t.Fatalf("the members are %v within the grace period", have)
	}
	back := i.put(i.trigger("one"))
	if back.After != one.After || back.After != 5 {
		t.Errorf("it has got what came up to %d, want 5 as before", back.After)
	}
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), one.Key))
	i.owner.grace = shortGrace
	i.sweep()
	if have := i.members(); !slices.Equal(have, []string{jetstream.MemberTag(other.Key)}) {
		t.Errorf("the members are %v, want the other one alone", have)
	}
	if anew := i.put(i.trigger("one")); anew.After != 10 {
		t.Errorf("one that is swept begins after %d, want 10", anew.After)
	}
}

// members are the tags of those who share the Broker's log.
func (i *installation) members() []string {
	i.t.Helper()
	info, err := i.owner.sharedConsumer(jstest.Context(i.t), i.broker.Key)
	jstest.Must(i.t, err)
	return jetstream.MembersIn(info.Config.Metadata)
}

func TestTheSharedConsumerGoesWithTheLastThatSharesIt(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), one.Key))
	i.sweep()
	if !i.has(other) {
		t.Fatal("the shared consumer is gone, and one Trigger still lives on it")
	}
	jstest.Must(t, i.owner.RemoveTarget(jstest.Context(t), other.Key))
	i.sweep()
	if left := i.consumersLeft(); left != 0 {
		t.Errorf("%d consumers are left; they hold the log for ever", left)
	}
	i.publish(0, 10, "a")
	if floor, err := trim.Once(jstest.Context(t), i.client, i.broker, 1); err != nil || floor == 0 {
		t.Errorf("the trim freed up to %d, error %v; want all", floor, err)
	}
	if third := i.put(i.trigger("third")); third.After != 10 || i.consumerInfo(third).AckFloor.Stream != 10 {
		t.Errorf("a new one begins after %d, where the consumer is at %d; want both at 10", third.After, i.consumerInfo(third).AckFloor.Stream)
	}
}

func TestWhatComesForASharingTargetThatIsNotReadyOrPausedWaitsForIt(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*route.Target){
		"not ready": func(t *route.Target) { t.NotReady = "its subscriber cannot be resolved" },
		"paused":    func(t *route.Target) { t.Paused = "an audit" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := install(t, brisk)
			one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
			waiting := one
			change(&waiting)
			if waiting = i.put(waiting); waiting.Consumer != one.Consumer {
				t.Fatal("it does not share any more")
			}
			p := i.process(i.client)
			p.knows(waiting, other)
			i.publish(0, 10, "a")
			takeAll(t, p.Log(other), 0, 10)
			i.consumerIsDone(other)

			p.knows(i.put(one), other)
			takeAll(t, p.Directed(one), 0, 10)
		})
	}
}

func TestATriggerThatIsMadePausedHasACursor(t *testing.T) {
	t.Parallel()
	i := install(t, brisk)
	target := i.trigger("one")
	target.Paused = "an audit"
	if put := i.put(target); put.Consumer == "" {
		t.Error("it has no cursor: what comes before it is resumed would be lost")
	}
}

// Each process may hold much for a target that takes nothing; NATS must have something left for the others all the same.
func TestATargetThatTakesNothingHoldsUpNoOtherInSeveralProcesses(t *testing.T) {
	t.Parallel()
	i := install(t) // with the usual ackWait: on a busy machine short leases run out, and everything comes again and again
	stuck, quick := i.put(i.trigger("stuck")), i.put(i.trigger("quick"))
	got := make(chan string, 100)
	for _, c := range []*jetstream.Client{i.client, dial(t, i.server), dial(t, i.server)} {
		p := i.process(c)
		p.knows(stuck, quick)
		p.Log(stuck)
		ids := ackAll(t, p.Log(quick))
		go func() {
			for {
				select {
				case id := <-ids:
					got <- id
				case <-t.Context().Done():
					return
				}
			}
		}()
	}
	const events = 6 * share.Room
	missing := map[string]bool{}
	for _, id := range jstest.IDs(0, events) {
		missing[id] = true
	}
	go i.publish(0, events, "a")
	for len(missing) > 0 {
		select {
		case id := <-got:
			delete(missing, id)
		case <-time.After(jstest.Patience):
			t.Fatalf("%d of %d events do not come, one is stuck for its neighbour: %s", len(missing), events, i.consumer(quick))
		}
	}
}
