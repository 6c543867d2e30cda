package jetstream

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// lookEvery is how often a filter asks which directed consumers others have made. Whoever parks an event serves it himself
// at once; the others need to know only in case he goes away.
const lookEvery = 15 * time.Second

// directory knows which targets have something of their own in a directed stream. Streams and consumers there are made on
// first use: most targets never need one.
type directory struct {
	client *Client

	mu    sync.Mutex
	known map[string]bool // by "<stream>.<consumer>"
	// waiting are those who want to hear of one, by its name.
	waiting map[string][]*lateSource
}

func newDirectory(c *Client) *directory {
	return &directory{client: c, known: map[string]bool{}, waiting: map[string][]*lateSource{}}
}

func (d *directory) name(key route.TargetKey) string {
	return d.client.names.DirectedStream(key.Address) + "." + d.client.names.Consumer(key)
}

// ensure makes the directed stream of the address and the consumer of the target, once.
func (d *directory) ensure(ctx context.Context, address route.Address, target route.Target) error {
	if d.knows(target.Key) {
		return nil
	}
	if err := d.client.createIfAbsent(ctx, directedConfig(d.client.names, address)); err != nil {
		return err
	}
	stream := d.client.names.DirectedStream(address.Key)
	if _, err := d.client.ensureConsumer(ctx, stream, d.client.ownDirectedConfig(target)); err != nil {
		return err
	}
	d.learn(d.name(target.Key))
	return nil
}

func (d *directory) knows(key route.TargetKey) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[d.name(key)]
}

// await lets the source begin once the target has a directed consumer: now, or when that is learnt.
func (d *directory) await(key route.TargetKey, s *lateSource) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name := d.name(key); d.known[name] {
		s.begin()
	} else {
		d.waiting[name] = append(d.waiting[name], s)
	}
}

func (d *directory) stopWaiting(key route.TargetKey, s *lateSource) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := d.name(key)
	left := slices.DeleteFunc(d.waiting[name], func(other *lateSource) bool { return other == s })
	if len(left) == 0 {
		delete(d.waiting, name)
		return
	}
	d.waiting[name] = left
}

func (d *directory) learn(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known[name] {
		return
	}
	d.known[name] = true
	for _, s := range d.waiting[name] {
		s.begin()
	}
	delete(d.waiting, name)
}

func (d *directory) forget(key route.TargetKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, d.name(key))
}

// read asks the server for all directed consumers of this installation, and forgets those that are gone: one that was
// removed with its target must be made again when a target of the same name comes.
func (d *directory) read(ctx context.Context) error {
	d.mu.Lock()
	before := maps.Clone(d.known)
	d.mu.Unlock()
	if err := d.readStreams(ctx, before); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for gone := range before {
		delete(d.known, gone)
	}
	return nil
}

// readStreams learns what there is, and takes it out of the names that were known before.
func (d *directory) readStreams(ctx context.Context, before map[string]bool) error {
	names := d.client.js.StreamNames(ctx, jetstream.WithStreamListSubject(d.client.names.Prefix()+".d.>"))
	for stream := range names.Name() {
		handle, err := d.client.js.Stream(ctx, stream)
		if err != nil {
			return fmt.Errorf("read stream %s: %w", stream, err)
		}
		consumers := handle.ConsumerNames(ctx)
		for consumer := range consumers.Name() {
			d.learn(stream + "." + consumer)
			delete(before, stream+"."+consumer)
		}
		if err := consumers.Err(); err != nil {
			return fmt.Errorf("list the consumers of %s: %w", stream, err)
		}
	}
	return names.Err()
}

// Opener opens the sources of targets. It is dispatch.Opener.
type Opener struct {
	client    *Client
	directory *directory
	sharing   *sharing
}

// Run keeps the opener informed of directed consumers that other processes make, until ctx ends. After that no shared consumer is read.
func (o *Opener) Run(ctx context.Context) {
	defer o.sharing.stop()
	for ctx.Err() == nil {
		look, cancel := context.WithTimeout(ctx, requestTimeout)
		err := o.directory.read(look)
		cancel()
		if err != nil {
			o.client.log.Debug("directed consumers cannot be listed now", "error", err)
			pause(ctx, retryPause)
			continue
		}
		pause(ctx, o.client.timing.lookEvery)
	}
}

// Log reads what the target's cursor has not passed. It fails when the cursor cannot be read: a target whose events nobody
// could pull must not be called ready.
func (o *Opener) Log(ctx context.Context, target route.Target, capacity int) (dispatch.Source, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if target.Shared {
		return o.sharing.open(ctx, target)
	}
	stream, decode := o.client.streamOf(target), decodeLog
	if target.Key.Address.Kind == route.KindChannel {
		decode = decodeChannel
	}
	if _, err := o.client.js.Consumer(ctx, stream, target.Consumer); err != nil {
		return nil, fmt.Errorf("read consumer %s: %w", target.Consumer, err)
	}
	return o.client.pull(pullTarget{stream: stream, consumer: target.Consumer, capacity: capacity, decode: decode})
}

// ownDirectedConfig is the consumer of what is parked for, or sent to, one target.
func (c *Client) ownDirectedConfig(t route.Target) jetstream.ConsumerConfig {
	config := c.leasedConsumer(c.names.Consumer(t.Key), t)
	config.DeliverPolicy = jetstream.DeliverAllPolicy
	config.FilterSubject = c.names.DirectedSubject(t.Key)
	return config
}
