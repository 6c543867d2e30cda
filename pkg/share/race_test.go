package share_test

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// TestEverythingAtOnce takes, follows, opens, stops and ends at the same time; released messages
// come again. In the end all are acknowledged, and each member that stays has got or parked each of
// them.
func TestEverythingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.follow(0)
		var others sync.WaitGroup
		for taker := range c.takers {
			others.Go(func() {
				for n := range c.each {
					c.take(uint64(taker*c.each + n + 1))
				}
			})
		}
		for _, name := range []string{"a", "b", "c", "comes and goes"} {
			for range 2 { // one takes over from the other
				others.Go(func() { c.serve(name) })
			}
		}
		for change := range 500 {
			c.follow(change)
			runtime.Gosched()
		}
		c.follow(0)
		c.unsettled.Wait()
		close(c.over)
		others.Wait()
		c.group.Close()
		c.running.Wait()
		if s := c.group.Space(); s.Bytes != share.MaxBytes {
			t.Errorf("%d bytes are free, want the group empty", s.Bytes)
		}
		for _, name := range []string{"a", "b", "c"} {
			if n := len(c.got[name]); n != c.takers*c.each {
				t.Errorf("%s got %d messages, want %d", name, n, c.takers*c.each)
			}
		}
	})
}

// crowd is a group and what uses it.
type crowd struct {
	t            *testing.T
	group        *share.Group
	names        naming.Names
	takers, each int
	running      sync.WaitGroup
	// unsettled are the messages that are not acknowledged; over is closed when there is none.
	unsettled sync.WaitGroup
	over      chan struct{}
	coin      atomic.Int64

	mu  sync.Mutex
	got map[string]map[uint64]bool
}

func newCrowd(t *testing.T) *crowd {
	c := &crowd{t: t, names: namesOf(t), takers: 4, each: 1000, over: make(chan struct{}), got: map[string]map[uint64]bool{}}
	c.unsettled.Add(c.takers * c.each)
	c.group = share.New(share.Config{
		Park: c.park, Go: c.running.Go, More: func() {}, Logger: slog.New(slog.DiscardHandler),
		Bytes: share.MaxBytes, Current: func() bool { return true },
		Subjects: c.names.Subjects,
	})
	return c
}

// follow has one member come and go, and another one turn not ready and ready again.
func (c *crowd) follow(change int) {
	members := []route.Target{with("a", ofType("x")), with("b", typeEnds("x")), target("c")}
	if change%3 == 1 {
		members[1] = notReady(members[1])
	}
	if change%2 == 1 {
		members = append(members, target("comes and goes"))
	}
	c.group.Follow(members, nil)
}

// oneOf is true in every n-th call.
func (c *crowd) oneOf(n int64) bool { return c.coin.Add(1)%n == 0 }

func (c *crowd) take(sequence uint64) {
	work := dispatch.Work{Event: typed("x"), Sequence: sequence}
	c.group.Take(c.names.EventSubject(broker, "x"), dispatch.Message{Work: work, Lease: crowdLease{c, sequence}})
}

// crowdLease is the lease of a message that comes again after a release.
type crowdLease struct {
	crowd    *crowd
	sequence uint64
}

func (l crowdLease) Ack() error {
	if l.crowd.oneOf(50) {
		return errInjected
	}
	l.crowd.unsettled.Done()
	return nil
}

func (l crowdLease) Release(after time.Duration) error {
	l.crowd.running.Go(func() {
		<-time.After(after)
		l.crowd.take(l.sequence)
	})
	return nil
}

func (c *crowd) park(_ context.Context, t route.Target, w dispatch.Work, _ time.Time) error {
	if c.oneOf(20) {
		return errInjected
	}
	c.has(t.Key.Name, w.Sequence)
	return nil
}

func (c *crowd) has(name string, sequence uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got[name] == nil {
		c.got[name] = map[uint64]bool{}
	}
	c.got[name][sequence] = true
}

// serve opens the member's source again and again.
func (c *crowd) serve(name string) {
	for {
		source := c.group.Open(keyOf(name))
		ended := c.receive(name, source)
		source.Stop()
		if ended {
			return
		}
	}
}

// receive takes some messages, and reports whether no more will come.
func (c *crowd) receive(name string, source dispatch.Source) (ended bool) {
	for range 20 {
		if m, ok := source.Take(); ok {
			c.running.Go(func() { c.end(name, m) })
			continue
		}
		select {
		case <-source.Ready():
		case <-time.After(time.Millisecond): // the member may be another one by now
			return false
		case <-c.over:
			return true
		}
	}
	return false
}

func (c *crowd) end(name string, m dispatch.Message) {
	var err error
	if c.oneOf(5) {
		err = m.Release(time.Millisecond)
	} else {
		c.has(name, m.Sequence)
		err = m.Ack()
	}
	if err != nil {
		c.t.Error(err)
	}
}
