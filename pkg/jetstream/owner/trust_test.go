package owner

import (
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/consume"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/internal/jstest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// cutOff is a process that reaches the server through a proxy.
func (i *installation) cutOff() (*process, *natstest.Proxy) {
	proxy := natstest.Through(i.t, i.server)
	c := dialURL(i.t, proxy.URL(), naming.DefaultPrefix)
	return i.distrustful(c), proxy
}

// A filter that comes back from a partition must not acknowledge by the filter that its Trigger had before. Others have delivered by
// the new one since the process's report has expired.
func TestAProcessThatComesBackFromAPartitionReadsNothingByWhatItKnew(t *testing.T) {
	t.Parallel()
	for _, edit := range []struct {
		name string
		do   func(i *installation, before route.Target) route.Target
	}{
		{"the filter", func(i *installation, _ route.Target) route.Target { return i.put(i.trigger("one", "b")) }},
		{"the subscriber", func(i *installation, before route.Target) route.Target {
			before.Subscriber = &route.Destination{URL: "http://elsewhere.example"}
			before.Filter = i.trigger("one", "a", "b").Filter
			return i.put(before)
		}},
	} {
		t.Run(edit.name, func(t *testing.T) {
			t.Parallel()
			i := install(t)
			before := i.put(i.trigger("one", "a"))
			p, proxy := i.cutOff()
			p.knows(before)
			p.TrustUntil(time.Now().Add(time.Hour), p.Heard())
			source := p.Log(before)
			i.publish(0, 1, "a")
			takeAll(t, source, 0, 1)

			proxy.Cut()
			after := edit.do(i, before)
			p.TrustUntil(time.Now().Add(-time.Second), p.Heard()) // the report has expired
			i.publish(1, 601, "b")
			proxy.Heal()
			jstest.Await(t, "the process hears of the edit", func() bool { return p.Heard().Records > 0 })
			if m, ok := poll(source, 500*time.Millisecond); ok {
				t.Errorf("it delivers event %d by what it knew", m.Sequence)
			}
			if floor := i.floorOf(after); floor > 1 {
				t.Fatalf("it has acknowledged up to %d by what it knew", floor)
			}
			p.knows(after)
			p.TrustUntil(time.Now().Add(time.Hour), p.Heard())
			takeAll(t, p.Log(after), 1, 601)
		})
	}
}

// An edit holds for all events that come after it, even for a process that was cut off for so short a time that its report lives.
func TestEventsThatCameAfterAnEditWaitUntilItIsApplied(t *testing.T) {
	t.Parallel()
	i := install(t)
	before := i.put(i.trigger("one", "a"))
	p, proxy := i.cutOff()
	p.knows(before)
	p.TrustUntil(time.Now().Add(time.Hour), p.Heard())
	source := p.Log(before)
	i.publish(0, 1, "a")
	takeAll(t, source, 0, 1)

	applied := make(chan struct{})
	p.OnChange(func() {
		select {
		case <-applied:
		default:
			close(applied)
		}
	})
	proxy.Cut()
	after := i.put(i.trigger("one", "b"))
	i.publish(1, 601, "b")
	proxy.Heal()
	<-applied
	p.knows(after)
	p.TrustUntil(time.Now().Add(time.Hour), p.Heard())
	takeAll(t, p.Log(after), 1, 601)
}

// Whoever writes records without end keeps nobody from the events for longer than a moment.
func TestAPauseEndsAlthoughARecordIsNeverApplied(t *testing.T) {
	t.Parallel()
	i := install(t)
	one := i.put(i.trigger("one"))
	p := i.distrustful(i.client)
	p.knows(one)
	p.TrustUntil(time.Now().Add(time.Hour), p.Heard())
	i.put(i.trigger("another"))
	jstest.Await(t, "it hears of the record", func() bool { return p.Heard().Records > 0 })
	if p.Trusted() {
		t.Error("it is not paused")
	}
	i.publish(0, 10, "a")
	takeAll(t, p.Log(one), 0, 10)
}

// A process that may not know a target must not acknowledge what that is to get: neither when it starts without the record, nor when
// nobody knows whether it has heard of all.
func TestNothingIsReadBeforeEveryMemberIsKnown(t *testing.T) {
	t.Parallel()
	i := install(t)
	known, lost := i.put(i.trigger("known")), i.put(i.trigger("lost"))
	p := i.process(i.client)
	p.knows(known)
	i.publish(0, 50, "a")
	jstest.Await(t, "it says why it does not read", func() bool { return p.Failures()[known.Key] == consume.ErrLostRoute.Error() })
	if floor := i.floorOf(known); floor > 0 {
		t.Fatalf("it has acknowledged up to %d", floor)
	}
	p.knowsAlso([]route.Target{known}, lost) // ended, and known to have been there
	takeAll(t, p.Log(known), 0, 50)
	jstest.Await(t, "it reads", func() bool { return len(p.Failures()) == 0 })
}
