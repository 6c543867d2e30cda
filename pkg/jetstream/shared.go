package jetstream

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// sharing holds the dealers of the shared consumers, one for each address. Safe for concurrent use.
type sharing struct {
	client *Client
	park   share.Park
	// attested is until when this process knows of every target.
	attested atomic.Pointer[time.Time]
	// lapsed is called when that ends before its time. It must not block.
	lapsed func()

	mu      sync.Mutex
	dealers map[route.Key]*dealer
	stopped bool
}

func newSharing(c *Client, park share.Park) *sharing {
	return &sharing{client: c, park: park, lapsed: func() {}, dealers: map[route.Key]*dealer{}}
}

// dealer deals the messages of one shared consumer.
type dealer struct {
	sharing *sharing
	group   *share.Group
	source  *source
	// deaf is set while a filter cannot be compiled: what it matches is not known, so nothing may pass.
	deaf atomic.Bool
	// members are those whom it deals to, or would; guarded by the lock of sharing.
	members []route.Target
	// seen is set once the consumer was there.
	seen atomic.Bool
}

// Share tells which targets there are. Those that share a consumer are dealt to from now on, be they served or not.
func (o *Opener) Share(targets map[route.TargetKey]route.Target) { o.sharing.follow(targets) }

// Attest says that until then no target is ready anywhere that this process was not told of by Share. Without that it reads no shared
// consumer: it would take away from a target that it does not know what that is to get.
func (o *Opener) Attest(until time.Time) {
	s := o.sharing
	s.attested.Store(&until)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.dealers {
		d.more()
	}
}

// Attested tells whether Attest's word holds: until its time, and no longer than the connection to NATS.
func (o *Opener) Attested() bool { return o.sharing.knows() }

// OnLapse has f called when Attest's word has ended before its time. f must not block. Call it before Run.
func (o *Opener) OnLapse(f func()) { o.sharing.lapsed = f }

func (s *sharing) knows() bool {
	until, now := s.attested.Load(), time.Now()
	// By the wall clock too: the other one stands still while the machine sleeps.
	return until != nil && now.Before(*until) && now.Round(0).Before(until.Round(0))
}

// lapse ends the word of Attest: what was heard before an outage of NATS may be overtaken.
func (s *sharing) lapse() {
	s.attested.Store(nil)
	s.lapsed()
}

// Failures says why targets that share get nothing, or may not get all soon.
func (o *Opener) Failures() map[route.TargetKey]string {
	s := o.sharing
	s.mu.Lock()
	defer s.mu.Unlock()
	failures := map[route.TargetKey]string{}
	for _, d := range s.dealers {
		maps.Copy(failures, d.group.Failures())
		if d.deaf.Load() {
			for _, t := range d.members {
				failures[t.Key] = errDeaf.Error()
			}
		}
	}
	return failures
}

func (s *sharing) follow(targets map[route.TargetKey]route.Target) {
	byAddress := map[route.Key][]route.Target{}
	for _, t := range targets {
		if t.Shared {
			byAddress[t.Key.Address] = append(byAddress[t.Key.Address], t)
		}
	}
	s.mu.Lock()
	var idle []*dealer
	for key, d := range s.dealers {
		if len(byAddress[key]) == 0 {
			idle = append(idle, d)
			delete(s.dealers, key)
		}
	}
	for key, members := range byAddress {
		if s.stopped {
			break
		}
		d, err := s.dealer(key)
		if err == nil {
			d.members = members
			err = d.group.Follow(members)
			d.deaf.Store(err != nil)
			d.more()
		}
		if err != nil {
			s.client.log.Error("the shared consumer of an address is not read", "address", key.String(), "error", err)
		}
	}
	s.mu.Unlock()
	for _, d := range idle {
		_ = d.group.Follow(nil)
	}
	stopAll(idle)
}

// dealer returns the address's. The caller holds the lock.
func (s *sharing) dealer(key route.Key) (*dealer, error) {
	if d := s.dealers[key]; d != nil {
		return d, nil
	}
	d := &dealer{sharing: s}
	d.deaf.Store(true) // until it knows its members
	d.group = share.New(share.Config{
		Park: s.park,
		Subjects: func(t route.Target) []string {
			return filter.Subjects(t.Filter, s.client.names.Subjects(t.Key.Address))
		},
		Go: s.client.background.Go, More: d.more, Logger: s.client.log,
	})
	var err error
	decode := decodeLog
	if key.Kind == route.KindChannel {
		decode = decodeChannel
	}
	d.source, err = s.client.pull(pullTarget{
		stream: s.client.names.Log(key), consumer: s.client.names.SharedConsumer(), capacity: share.Room, decode: decode, deal: d,
	})
	if err != nil {
		return nil, err
	}
	s.dealers[key] = d
	return d, nil
}

// open opens the target's part of what the dealer reads.
func (s *sharing) open(ctx context.Context, t route.Target) (dispatch.Source, error) {
	s.mu.Lock()
	d := s.dealers[t.Key.Address]
	s.mu.Unlock()
	if d == nil {
		return nil, fmt.Errorf("%s: %w", t.Key, share.ErrNotShared)
	}
	if d.deaf.Load() {
		return nil, fmt.Errorf("%s: %w", t.Key, errDeaf)
	}
	if !d.seen.Load() {
		if _, err := s.client.js.Consumer(ctx, s.client.streamOf(t), t.Consumer); err != nil {
			return nil, fmt.Errorf("read consumer %s: %w", t.Consumer, err)
		}
		d.seen.Store(true)
	}
	return d.group.Open(t.Key)
}

// stop ends the dealers: what they hold and nobody has taken is given back.
func (s *sharing) stop() {
	s.attested.Store(nil) // nobody tells it of targets any more
	s.mu.Lock()
	s.stopped = true
	var all []*dealer
	for _, d := range s.dealers {
		all = append(all, d)
	}
	s.dealers = map[route.Key]*dealer{}
	s.mu.Unlock()
	stopAll(all)
}

func stopAll(dealers []*dealer) {
	var stopping sync.WaitGroup
	for _, d := range dealers {
		stopping.Go(func() {
			d.group.Close() // first: what the source still takes is given back at once
			d.source.Stop()
		})
	}
	stopping.Wait()
}

// more has the source ask for messages again.
func (d *dealer) more() {
	select {
	case d.source.more <- struct{}{}:
	default:
	}
}

// ready tells whether everybody who may want a message is known.
func (d *dealer) ready() bool { return !d.deaf.Load() && d.sharing.knows() }

// room is how many messages may be asked for, and how many at most.
func (d *dealer) room() (free, most int) {
	if !d.ready() {
		return 0, share.Room
	}
	return d.group.Room()
}

// take deals a message, or gives it back while it is not known to whom.
func (d *dealer) take(m *nats.Msg, from *source) {
	if !d.ready() {
		_ = from.leases.add(m.Reply).Release(retryPause)
		return
	}
	if !d.group.Wants(m.Subject) {
		_ = d.sharing.client.conn.Publish(m.Reply, []byte(ackBody)) // lost, it comes once more
		return
	}
	if message, ok := from.read(m); ok {
		d.group.Take(m.Subject, message)
	}
}
