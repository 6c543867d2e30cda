package jetstream

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// sociable lets every Trigger share that may.
func sociable(c *Client) {
	brisk(c)
	c.timing.ownReaders, c.timing.ownConsumers = 0, 0
}

// sharer is a filter process that reads shared consumers.
type sharer struct {
	*Opener
	i *installation
}

func (i *installation) sharer(c *Client) sharer {
	_, opener := c.NewStore(tableOf(i.broker))
	i.t.Cleanup(opener.sharing.stop)
	opener.Attest(time.Now().Add(time.Hour))
	return sharer{opener, i}
}

// knows tells the process of exactly these Triggers.
func (s sharer) knows(targets ...route.Target) {
	known := map[route.TargetKey]route.Target{}
	for _, t := range targets {
		known[t.Key] = t
	}
	s.Share(known)
}

// open opens the Trigger's part; it is stopped when the test ends.
func (s sharer) open(target route.Target) dispatch.Source {
	s.i.t.Helper()
	source, err := s.Log(s.i.t.Context(), target, 10)
	must(s.i.t, err)
	s.i.t.Cleanup(source.Stop)
	return source
}

func suffix(target route.Target, end string) route.Target {
	target.Filter = filter.Spec{Filters: []filter.Expression{{Suffix: map[string]string{event.Type: end}}}}
	return target
}

func TestTheFirstTriggersHaveConsumersOfTheirOwnAndLaterOnesShare(t *testing.T) {
	t.Parallel()
	i := install(t)
	for n := range ownReaders {
		if first := i.put(i.trigger("all-" + strconv.Itoa(n))); first.Shared {
			t.Errorf("Trigger %d for every event shares, want the first %d not to", n, ownReaders)
		}
	}
	if next := i.put(suffix(i.trigger("suffix"), "x")); !next.Shared {
		t.Error("a further Trigger that no subject can narrow does not share")
	}
	late := i.trigger("late")
	late.Start.Policy = route.StartAll
	if late = i.put(late); late.Shared {
		t.Error("a Trigger that begins with old events shares a consumer that has passed them")
	}
	const made = ownReaders + 2 // beside the shared one
	for n := range 2 * ownConsumers {
		narrow := i.put(i.trigger("narrow-"+strconv.Itoa(n), "type-"+strconv.Itoa(n)))
		if want := made+n >= ownConsumers; narrow.Shared != want {
			t.Errorf("with %d consumers, a Trigger for one type shares: %v, want %v", made+n, narrow.Shared, want)
		}
	}
}

func TestATargetThatSharesGetsWhatMatchesAndCameAfterIt(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	early := i.put(suffix(i.trigger("early"), "x"))
	i.publish(0, 4, "a.x", "a.y") // 0 and 2 match
	late := i.put(suffix(i.trigger("late"), "x"))
	p := i.sharer(i.client)
	p.knows(early, late)
	first, second := p.open(early), p.open(late)
	i.publish(4, 8, "a.x", "a.y") // 4 and 6 match

	var got []string
	for range 4 {
		m := next(t, first)
		got = append(got, m.Event.Attr(event.ID))
		must(t, m.Ack())
	}
	if want := []string{"0", "2", "4", "6"}; !slices.Equal(got, want) {
		t.Errorf("the early one got %v, want %v", got, want)
	}
	for _, want := range []string{"4", "6"} {
		m := next(t, second)
		if id := m.Event.Attr(event.ID); id != want {
			t.Errorf("the late one got %s, want %s", id, want)
		}
		must(t, m.Ack())
	}
	i.consumerIsDone(early)
}

func TestTwoProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	one, two := i.put(i.trigger("one")), i.put(i.trigger("two"))
	var sources [2]dispatch.Source
	for n, c := range []*Client{i.client, dial(t, i.server, sociable)} {
		p := i.sharer(c)
		p.knows(one, two)
		sources[n] = p.open(one)
		other := p.open(two)
		go func() {
			for m := range other.Messages() {
				_ = m.Ack()
			}
		}()
	}
	i.publish(0, 200, "a")
	missing := map[string]bool{}
	for _, id := range idsOf(0, 200) {
		missing[id] = true
	}
	for len(missing) > 0 {
		var m dispatch.Message
		select {
		case m = <-sources[0].Messages():
		case m = <-sources[1].Messages():
		case <-time.After(patience):
			t.Fatalf("%d events did not come", len(missing))
		}
		delete(missing, m.Event.Attr(event.ID))
		must(t, m.Ack())
	}
	i.consumerIsDone(one)
}

func TestAProcessThatMayNotKnowEveryTriggerReadsNoSharedConsumer(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	known, unknown := i.put(i.trigger("known")), i.put(i.trigger("unknown"))
	stale, informed := i.sharer(i.client), i.sharer(dial(t, i.server, sociable))
	stale.Attest(time.Now().Add(-time.Second))
	stale.knows(known)
	nothing := stale.open(known)
	informed.knows(known, unknown)
	i.publish(0, 50, "a")
	source, other := informed.open(known), informed.open(unknown)
	takeAll(t, source, 0, 50)
	takeAll(t, other, 0, 50)
	select {
	case m := <-nothing.Messages():
		t.Errorf("it has taken event %s", m.Event.Attr(event.ID))
	default:
	}
	i.consumerIsDone(known)

	stale.knows(known, unknown)
	stale.Attest(time.Now().Add(time.Hour)) // and now it reads
	informed.sharing.stop()
	i.publish(50, 60, "a")
	takeAll(t, nothing, 50, 60)
}

func TestATargetThatSharedAndComesBackInTimeGetsWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	i.graceful()
	one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
	p := i.sharer(i.client)
	p.knows(one, other)
	go func(m <-chan dispatch.Message) {
		for m := range m {
			_ = m.Ack()
		}
	}(p.open(other).Messages())
	must(t, i.owner.RemoveTarget(budgetOf(t), one.Key))
	p.knows(other)
	i.publish(0, 10, "a")
	i.consumerIsDone(other)
	i.sweep()
	if _, err := i.client.Trim(budgetOf(t), i.broker, 1); err != nil {
		t.Fatal(err)
	}
	back := i.put(i.trigger("one"))
	takeAll(t, open(t, i.client, back, 10), 0, 10)
}

func TestTheSharedConsumerGoesWithTheLastThatSharesIt(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
	must(t, i.owner.RemoveTarget(budgetOf(t), one.Key))
	i.sweep()
	if !i.has(other) {
		t.Fatal("the shared consumer is gone, and one Trigger still lives on it")
	}
	must(t, i.owner.RemoveTarget(budgetOf(t), other.Key))
	i.sweep()
	if left := i.consumersLeft(); left != 0 {
		t.Errorf("%d consumers are left; they hold the log for ever", left)
	}
	i.publish(0, 10, "a")
	if floor, err := i.client.Trim(budgetOf(t), i.broker, 1); err != nil || floor == 0 {
		t.Errorf("the trim freed up to %d, error %v; want all", floor, err)
	}
	if third := i.put(i.trigger("third")); !third.Shared || third.After != 10 {
		t.Errorf("a new one shares: %v, after %d; want it to, after 10", third.Shared, third.After)
	}
}

func TestAnEndThatDidNotComeLeavesNoConsumerBehind(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	one := i.put(i.trigger("one"))
	stale, _, err := i.client.record(budgetOf(t), recordKey(route.Record{Target: &one}))
	must(t, err)
	i.put(suffix(one, "x")) // meanwhile
	must(t, i.owner.End(budgetOf(t), stale))
	if now := i.recorded(one.Key); !now.Shared {
		t.Fatal("it has ended")
	}
	i.sweep()
	if left := i.consumersLeft(); left != 1 {
		t.Errorf("there are %d consumers, want the shared one", left)
	}
}

func TestWhatComesForASharingTargetThatIsNotReadyWaitsForIt(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	one, other := i.put(i.trigger("one")), i.put(i.trigger("other"))
	waiting := one
	waiting.NotReady = "its subscriber cannot be resolved"
	if waiting = i.put(waiting); !waiting.Shared {
		t.Fatal("it does not share any more")
	}
	p := i.sharer(i.client)
	p.knows(waiting, other)
	i.publish(0, 10, "a")
	takeAll(t, p.open(other), 0, 10)
	i.consumerIsDone(other)

	p.knows(i.put(one), other)
	directed, err := p.Directed(t.Context(), one, 10)
	must(t, err)
	defer directed.Stop()
	takeAll(t, directed, 0, 10)
}

// Each process may hold much for a target that takes nothing; NATS must have something left for the others all the same.
func TestATargetThatTakesNothingHoldsUpNoOtherInSeveralProcesses(t *testing.T) {
	t.Parallel()
	i := install(t, sociable)
	stuck, quick := i.put(i.trigger("stuck")), i.put(i.trigger("quick"))
	got := make(chan string, 100)
	for _, c := range []*Client{i.client, dial(t, i.server, sociable), dial(t, i.server, sociable)} {
		p := i.sharer(c)
		p.knows(stuck, quick)
		p.open(stuck)
		go func(messages <-chan dispatch.Message) {
			for m := range messages {
				_ = m.Ack()
				got <- m.Event.Attr(event.ID)
			}
		}(p.open(quick).Messages())
	}
	const events = 6 * share.Room
	missing := map[string]bool{}
	for _, id := range idsOf(0, events) {
		missing[id] = true
	}
	go i.publish(0, events, "a")
	for len(missing) > 0 {
		select {
		case id := <-got:
			delete(missing, id)
		case <-time.After(patience):
			t.Fatalf("%d of %d events do not come, one is stuck for its neighbour: %s", len(missing), events, i.consumer(quick))
		}
	}
}
