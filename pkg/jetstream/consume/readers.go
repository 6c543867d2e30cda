package consume

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/pull"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// directedPause is for how long a directed message is put off that its target cannot take now.
const directedPause = 15 * time.Second

// readers are those of all consumers that the targets of this process need. Safe for concurrent use.
type readers struct {
	client *jetstream.Client
	park   share.Park
	budget *pull.Budget
	trust  trust
	// functions are those that filters may call beside CESQL's own.
	functions []cesql.Function
	// unverified has a token when there may be a reader to verify.
	unverified chan struct{}

	mu      sync.Mutex
	all     map[pull.Consumer]*reader
	targets map[pull.Consumer][]route.Target
	routes  route.Snapshot
	stopped bool
	// over are the subjects of directed messages for targets that are swept: nobody is to get those any more.
	over atomic.Pointer[map[string]bool]
}

func newReaders(c *jetstream.Client, park share.Park) *readers {
	return &readers{
		client: c, trust: trust{made: c.ConnectionsMade}, park: park, budget: pull.NewBudget(pull.DefaultBudget), unverified: make(chan struct{}, 1),
		all: map[pull.Consumer]*reader{}, targets: map[pull.Consumer][]route.Target{},
	}
}

// Opener opens the sources of targets. It is dispatch.Opener.
type Opener struct{ readers *readers }

// New returns an opener of sources. What a target cannot take, park stores for it.
func New(c *jetstream.Client, park share.Park) *Opener { return &Opener{newReaders(c, park)} }

// Bound has the process ask for and hold at most so many bytes of messages; else it is pull.DefaultBudget. Call it before Follow.
func (o *Opener) Bound(bytes int64) { o.readers.budget = pull.NewBudget(bytes) }

// Bytes are those of messages that the process has asked for and not got, and those that it holds.
func (o *Opener) Bytes() (asked, held int64) { return o.readers.budget.Bytes() }

// Provide has the filters of Triggers know these functions beside CESQL's own. Call it before Follow.
func (o *Opener) Provide(functions []cesql.Function) { o.readers.functions = functions }

// Follow tells which targets there are. Messages are dealt to them from now on, be they served or not.
func (o *Opener) Follow(s route.Snapshot) { o.readers.follow(s) }

// TrustUntil says that until then no target is ready anywhere of which Follow was not told, as it is now, and that Follow was told of
// every record that Heard had counted. Without that, or after it, or over another connection than that of Heard, nothing is read.
func (o *Opener) TrustUntil(until time.Time, heard Heard) {
	rs := o.readers
	if rs.trust.extend(until, heard) {
		rs.verifySoon()
		return
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.all {
		r.wake()
	}
}

// Prolong has a trust that has not ended go on until then, as long as no report was missing: no target has become ready without this
// process, although it may not have applied every record.
func (o *Opener) Prolong(until time.Time) { o.readers.trust.prolong(until) }

// Current reports whether the trust lives and every record is applied that was heard of.
func (o *Opener) Current() bool { return o.readers.trust.lives() && o.readers.trust.behind.Load() == 0 }

// Heard counts the records that were written since this process runs. It is another one after an outage of NATS: the news of some may
// be lost.
func (o *Opener) Heard() Heard { return o.readers.trust.hears() }

// Trusted reports whether TrustUntil holds: until its time, no longer than the connection to NATS, and not from when a record is written
// until it is applied.
func (o *Opener) Trusted() bool { return o.readers.trust.holds() }

// OnChange has f called when what Failures says, or Trusted, may have changed by itself. f must not block.
func (o *Opener) OnChange(f func()) { o.readers.trust.onChange.Store(&f) }

// Log is the target's part of its log.
func (o *Opener) Log(t route.Target) dispatch.Source {
	return o.readers.source(logID(o.readers.client, t), t.Key)
}

// Directed is what was parked for the target, or sent to it alone.
func (o *Opener) Directed(t route.Target) dispatch.Source {
	return o.readers.source(directedID(o.readers.client, t), t.Key)
}

// Run verifies readers until ctx ends. After that nothing is read.
func (o *Opener) Run(ctx context.Context) {
	rs := o.readers
	defer rs.stop()
	reconnected := rs.client.Conn().StatusChanged(nats.CONNECTED)
	defer rs.client.Conn().RemoveStatusListener(reconnected)
	if err := rs.trust.follow(rs.client.Conn(), rs.client.Names().RoutesBucket()); err != nil {
		rs.client.Logger().Error("changes of routes are heard of late", "error", err)
	}
	for ctx.Err() == nil {
		var again <-chan time.Time
		if rs.trust.lives() && !rs.verifyAll(ctx) {
			again = time.After(jetstream.RetryPause)
		}
		select {
		case <-again:
		case <-reconnected:
			rs.trust.changed()
		case <-rs.unverified:
		case <-ctx.Done():
		}
	}
}

// Failures says why targets get nothing, or may not get all soon.
func (o *Opener) Failures() map[route.TargetKey]string {
	rs := o.readers
	rs.mu.Lock()
	defer rs.mu.Unlock()
	failures := map[route.TargetKey]string{}
	for id, r := range rs.all {
		maps.Copy(failures, r.group.Failures())
		if why := r.failure(); why != nil {
			for _, t := range rs.targets[id] {
				failures[t.Key] = why.Error()
			}
		}
	}
	return failures
}

func logID(c *jetstream.Client, t route.Target) pull.Consumer {
	return pull.Consumer{Stream: c.StreamOf(t), Name: t.Consumer}
}

func directedID(c *jetstream.Client, t route.Target) pull.Consumer {
	return pull.Consumer{Stream: c.Names().DirectedStream(t.Key.Address), Name: c.Names().SharedConsumer()}
}

// followed is who reads one consumer.
type followed struct {
	live, ended []route.Target
	directed    bool
}

// follow has every consumer read that has a target, and none else. A target that has ended and may come back stays among those who
// share a log; a consumer that nobody else reads keeps its events for it.
func (rs *readers) follow(s route.Snapshot) {
	wanted := map[pull.Consumer]*followed{}
	enter := func(id pull.Consumer, directed bool) *followed {
		f := wanted[id]
		if f == nil {
			f = &followed{directed: directed}
			wanted[id] = f
		}
		return f
	}
	for _, t := range s.Targets {
		if t.Consumer == "" {
			continue
		}
		for _, f := range []*followed{enter(logID(rs.client, t), false), enter(directedID(rs.client, t), true)} {
			f.live = append(f.live, t)
		}
	}
	for _, t := range s.Ended {
		for _, id := range []pull.Consumer{logID(rs.client, t), directedID(rs.client, t)} {
			if f := wanted[id]; f != nil {
				f.ended = append(f.ended, t)
			}
		}
	}
	idle := rs.replace(s, wanted)
	for _, r := range idle {
		r.stop()
	}
}

// replace makes the readers those that are wanted, and returns those that are not.
func (rs *readers) replace(s route.Snapshot, wanted map[pull.Consumer]*followed) (idle []*reader) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.stopped {
		return nil
	}
	rs.routes = s
	rs.over.Store(rs.directedOf(s.Swept))
	for id, r := range rs.all {
		if wanted[id] == nil {
			idle = append(idle, r)
			delete(rs.all, id)
			delete(rs.targets, id)
		}
	}
	for id, f := range wanted {
		r := rs.all[id]
		if r == nil {
			var err error
			if r, err = rs.newReader(id, f.live[0], f.directed); err != nil {
				rs.client.Logger().Error("a consumer is not read", "stream", id.Stream, "consumer", id.Name, "error", err)
				continue // the connection is closed: the process ends
			}
			rs.all[id] = r
			rs.verifySoon()
		}
		rs.targets[id] = f.live
		if !f.directed {
			r.logBytes.Store(s.Addresses[r.address].Log.MaxBytes)
			r.counts.Store(s.Addresses[r.address].Counts)
		}
		r.group.Follow(f.live, f.ended)
	}
	return idle
}

// directedOf returns the subjects of the directed messages of targets, by the keys of their records.
func (rs *readers) directedOf(records map[string]route.Key) *map[string]bool {
	subjects := make(map[string]bool, len(records))
	for key := range records {
		if record, err := naming.ParseKey(key); err == nil && record.Target != nil {
			subjects[rs.client.Names().DirectedSubject(*record.Target)] = true
		}
	}
	return &subjects
}

func (rs *readers) source(id pull.Consumer, key route.TargetKey) dispatch.Source {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r := rs.all[id]; r != nil {
		return r.group.Open(key)
	}
	return noSource{}
}

// noSource is that of a target that is not followed any more.
type noSource struct{}

func (noSource) Take() (dispatch.Message, bool) { return dispatch.Message{}, false }
func (noSource) Ready() <-chan struct{}         { return nil }
func (noSource) Stop()                          {}

func (rs *readers) verifySoon() {
	select {
	case rs.unverified <- struct{}{}:
	default:
	}
}

// verifyAll verifies the readers that are not, and reports whether all are.
func (rs *readers) verifyAll(ctx context.Context) bool {
	period := rs.trust.period.Load()
	rs.mu.Lock()
	var left []*reader
	for _, r := range rs.all {
		if r.verified.Load() != period {
			left = append(left, r)
		}
	}
	routes := rs.routes
	rs.mu.Unlock()
	if len(left) == 0 {
		return true
	}
	known := knownTags(routes)
	all, changed := true, false
	for _, r := range left {
		if ctx.Err() != nil || !rs.trust.lives() {
			return true // a new period begins with a verification
		}
		if r.verify(ctx, known[r.address]) {
			changed = true
		}
		all = all && r.failure() == nil
	}
	if changed {
		rs.trust.changed()
	}
	return all
}

// knownTags returns the tags of all targets that were heard of, by their addresses.
func knownTags(s route.Snapshot) map[route.Key]map[string]bool {
	tags := map[route.Key]map[string]bool{}
	enter := func(address route.Key, key string) {
		if tags[address] == nil {
			tags[address] = map[string]bool{}
		}
		tags[address][jetstream.TagOf(key)] = true
	}
	for _, some := range []map[route.TargetKey]route.Target{s.Targets, s.Ended} {
		for key := range some {
			enter(key.Address, naming.TargetKey(key))
		}
	}
	for key, address := range s.Swept {
		enter(address, key)
	}
	return tags
}

// stop ends the readers: what they hold and nobody has taken is given back.
func (rs *readers) stop() {
	rs.trust.close() // nobody tells of targets any more
	rs.mu.Lock()
	rs.stopped = true
	all := rs.all
	rs.all = map[pull.Consumer]*reader{}
	rs.mu.Unlock()
	var stopping sync.WaitGroup
	for _, r := range all {
		stopping.Go(r.stop)
	}
	stopping.Wait()
}
