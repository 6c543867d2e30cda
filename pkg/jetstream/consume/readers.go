package consume

import (
	"cmp"
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
	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

// directedPause is the delay of a directed message whose target cannot take it now.
const directedPause = 15 * time.Second

// Config is the configuration of an Opener. Functions and Budget are optional.
type Config struct {
	Client *jetstream.Client
	// Park stores what a target cannot take.
	Park share.Park
	// Budget bounds the bytes that the process requests and holds; 0 is pull.DefaultBudget.
	Budget int64
	// Functions are what filters of Triggers may call beside CESQL's own functions.
	Functions []cesql.Function
}

// Opener implements dispatch.Opener, with one reader for each consumer. Safe for concurrent use.
type Opener struct {
	Config
	trust
	budget *pull.Budget
	// unverified has a token when there may be a reader to verify.
	unverified chan struct{}

	mu      sync.Mutex
	all     map[pull.Consumer]*reader
	routes  route.Snapshot
	stopped bool
	// swept are the directed subjects of swept targets: nobody gets their messages any more.
	swept atomic.Pointer[map[string]bool]
}

// New returns an opener without targets.
func New(c Config) *Opener {
	return &Opener{
		Config: c, trust: trust{made: c.Client.ConnectionsMade}, budget: pull.NewBudget(cmp.Or(c.Budget, pull.DefaultBudget)),
		unverified: make(chan struct{}, 1), all: map[pull.Consumer]*reader{},
	}
}

// Bytes returns the bytes that the process has requested and not received, and those that it holds.
func (o *Opener) Bytes() (asked, held int64) { return o.budget.Bytes() }

// TrustUntil lets readers read until then. The caller vouches that until then no target is ready
// anywhere that Follow does not have as it is, and that Follow has all records that heard counts.
// Nothing is read without that, after that time, or over another connection than that of heard.
func (o *Opener) TrustUntil(until time.Time, heard Heard) {
	if o.trust.extend(until, heard) {
		o.verifySoon()
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.all {
		r.wake()
	}
}

// Log returns the source of the target's events in its log.
func (o *Opener) Log(t route.Target) dispatch.Source {
	return o.source(o.logID(t), t.Key)
}

// Directed returns the source of events that were parked for the target or sent to it alone.
func (o *Opener) Directed(t route.Target) dispatch.Source {
	return o.source(o.directedID(t), t.Key)
}

// Run verifies readers until ctx ends. After that nothing is read.
func (o *Opener) Run(ctx context.Context) {
	defer o.stop()
	reconnected := o.Client.Conn().StatusChanged(nats.CONNECTED)
	defer o.Client.Conn().RemoveStatusListener(reconnected)
	if err := o.trust.follow(o.Client.Conn(), o.Client.Names().RoutesBucket()); err != nil {
		o.Client.Logger().Error("changes of routes cannot be subscribed to; reading does not pause for them", "error", err)
	}
	for ctx.Err() == nil {
		var again <-chan time.Time
		if o.trust.lives() && !o.verifyAll(ctx) {
			again = time.After(jetstream.RetryPause)
		}
		select {
		case <-again:
		case <-reconnected:
			o.trust.changed()
		case <-o.unverified:
		case <-ctx.Done():
		}
	}
}

// Failures returns why targets get no events, or may not get all of them soon.
func (o *Opener) Failures() map[route.TargetKey]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	failures := map[route.TargetKey]string{}
	for _, r := range o.all {
		maps.Copy(failures, r.group.Failures())
		if why := r.failure(); why != nil {
			for _, t := range r.live {
				failures[t.Key] = why.Error()
			}
		}
	}
	return failures
}

func (o *Opener) logID(t route.Target) pull.Consumer {
	return pull.Consumer{Stream: o.Client.StreamOf(t), Name: t.Consumer}
}

func (o *Opener) directedID(t route.Target) pull.Consumer {
	names := o.Client.Names()
	return pull.Consumer{Stream: names.DirectedStream(t.Key.Address), Name: names.SharedConsumer()}
}

// followed are the targets that read one consumer.
type followed struct {
	live, ended []route.Target
	directed    bool
}

// Follow replaces the targets. Messages are dealt to all of them, served or not. A consumer is read
// if a live target has it. A target that has ended and may come back remains a member of such a
// consumer; a consumer that no live target has keeps its events.
func (o *Opener) Follow(s route.Snapshot) {
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
		for _, f := range []*followed{enter(o.logID(t), false), enter(o.directedID(t), true)} {
			f.live = append(f.live, t)
		}
	}
	for _, t := range s.Ended {
		for _, id := range []pull.Consumer{o.logID(t), o.directedID(t)} {
			if f := wanted[id]; f != nil {
				f.ended = append(f.ended, t)
			}
		}
	}
	idle := o.replace(s, wanted)
	for _, r := range idle {
		r.stop()
	}
}

// replace makes a reader for each wanted consumer, and returns the readers that are not wanted.
func (o *Opener) replace(s route.Snapshot, wanted map[pull.Consumer]*followed) (idle []*reader) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stopped {
		return nil
	}
	o.routes = s
	o.swept.Store(o.directedOf(s.Swept))
	for id, r := range o.all {
		if wanted[id] == nil {
			idle = append(idle, r)
			delete(o.all, id)
		}
	}
	own := map[route.Key][]*share.Group{}
	for id, f := range wanted {
		r := o.all[id]
		if r == nil {
			var err error
			if r, err = o.newReader(id, f.live[0], f.directed); err != nil {
				o.Client.Logger().Error("a consumer is not read", "stream", id.Stream, "consumer", id.Name, "error", err)
				continue // the connection is closed: the process ends
			}
			o.all[id] = r
			o.verifySoon()
		}
		r.live = f.live
		if !f.directed {
			r.logBytes.Store(s.Addresses[r.address].Log.MaxBytes)
			if !r.shared {
				own[r.address] = append(own[r.address], r.group)
			}
		}
		r.group.Follow(f.live, f.ended)
	}
	for _, r := range o.all {
		if r.shared {
			r.unmatched.Store(&unmatched{s.Addresses[r.address].Counts, own[r.address]})
		}
	}
	return idle
}

// directedOf returns the directed subjects of the targets whose records have these keys.
func (o *Opener) directedOf(records map[string]route.Key) *map[string]bool {
	subjects := make(map[string]bool, len(records))
	for key := range records {
		if record, err := naming.ParseKey(key); err == nil && record.Target != nil {
			subjects[o.Client.Names().DirectedSubject(*record.Target)] = true
		}
	}
	return &subjects
}

func (o *Opener) source(id pull.Consumer, key route.TargetKey) dispatch.Source {
	o.mu.Lock()
	defer o.mu.Unlock()
	var group *share.Group // nil if the target is not followed
	if r := o.all[id]; r != nil {
		group = r.group
	}
	return group.Open(key)
}

func (o *Opener) verifySoon() { loop.Notify(o.unverified) }

// verifyAll verifies the readers that are not verified in this period, and reports whether all are.
func (o *Opener) verifyAll(ctx context.Context) bool {
	period := o.trust.period.Load()
	o.mu.Lock()
	var left []*reader
	for _, r := range o.all {
		if r.verified.Load() != period {
			left = append(left, r)
		}
	}
	routes := o.routes
	o.mu.Unlock()
	if len(left) == 0 {
		return true
	}
	known := knownTags(routes)
	all, changed := true, false
	for _, r := range left {
		if ctx.Err() != nil || !o.trust.lives() {
			return true // a new period begins with a verification
		}
		if r.verify(ctx, known[r.address]) {
			changed = true
		}
		all = all && r.failure() == nil
	}
	if changed {
		o.trust.changed()
	}
	return all
}

// knownTags returns the tags of all targets in the snapshot, tombstones included, by address.
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

// stop stops the readers, which give back what nobody has taken.
func (o *Opener) stop() {
	o.trust.close() // Follow is no longer called
	o.mu.Lock()
	o.stopped = true
	all := o.all
	o.all = map[pull.Consumer]*reader{}
	o.mu.Unlock()
	var stopping sync.WaitGroup
	for _, r := range all {
		stopping.Go(r.stop)
	}
	stopping.Wait()
}
