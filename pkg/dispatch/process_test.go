package dispatch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// process is one life of the program: its calls reach the world until it dies.
type process struct {
	*world
	killAt int // the step at which it dies; 0: never
	count  int
	dead   chan struct{}
}

func newProcess(w *world) *process { return &process{world: w, dead: make(chan struct{})} }

// step is a moment at which the process may die or the outside may fail. The caller holds the lock.
func (p *process) step(name string) error {
	if p.isDead() {
		return errDead
	}
	p.count++
	p.steps = append(p.steps, name)
	if p.count == p.killAt {
		close(p.dead)
		p.change()
		return errDead
	}
	if p.faults[name] > 0 {
		p.faults[name]--
		return fmt.Errorf("%s: %w", name, errInjected)
	}
	return nil
}

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// effect makes a change, unless the step before or after it fails.
func (p *process) effect(name string, change func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.step(name); err != nil {
		return err
	}
	change()
	p.change()
	return p.step("after " + name)
}

// expire gives back what the dead process held.
func (p *process) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range slices.Concat(slices.Collect(maps.Values(p.logs)), slices.Collect(maps.Values(p.directed))) {
		for _, i := range q.items {
			if i.holder != nil && i.holder.process == p {
				i.holder = nil
			}
		}
	}
	p.change()
}

func (p *process) Log(t route.Target) Source {
	p.mu.Lock()
	p.opens++
	p.mu.Unlock()
	return p.open(p.logs, t)
}

func (p *process) Directed(t route.Target) Source { return p.open(p.directed, t) }

func (p *process) open(in map[string]*queue, t route.Target) Source {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &source{process: p, queue: p.queue(in, t), ready: make(chan struct{}, 1), stop: make(chan struct{})}
	if s.queue.open++; s.queue.open > 1 {
		p.overlaps++
	}
	go s.run(p.changed)
	return s
}

func (p *process) Reply(_ context.Context, t route.Target, work Work, reply event.Event) error {
	return p.effect("reply", func() { p.replies[t.Key.Name+"/"+strconv.FormatUint(work.Sequence, 10)] = reply })
}

func (p *process) DeadLetter(_ context.Context, t route.Target, work Work) error {
	return p.effect("dead letter", func() { p.deadLetters[t.Key.Name+"/"+strconv.FormatUint(work.Sequence, 10)] = work })
}

func (p *process) Park(_ context.Context, t route.Target, work Work, notBefore time.Time) error {
	return p.effect("park", func() {
		q := p.queue(p.directed, t)
		q.items = append(q.items, &item{work: work, at: notBefore})
	})
}

func (p *process) Send(ctx context.Context, r Request) Response {
	p.mu.Lock()
	if err := p.step("send"); err != nil {
		p.mu.Unlock()
		return Response{Err: err}
	}
	n := 0
	for _, earlier := range p.requests[r.To.URL] {
		if earlier.Event.Attr(event.ID) == r.Event.Attr(event.ID) {
			n++
		}
	}
	p.requests[r.To.URL] = append(p.requests[r.To.URL], r)
	p.change()
	p.mu.Unlock()

	response := p.hosts[r.To.URL](ctx, n, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.step("after send"); err != nil {
		return Response{Err: err}
	}
	return response
}

// lease is the hold of one process on an item.
type lease struct {
	process *process
	item    *item
}

func (l *lease) Ack() error {
	return l.process.effect("ack", func() {
		if l.item.holder == l {
			l.item.acked, l.item.holder = true, nil
		}
	})
}

func (l *lease) Release(after time.Duration) error {
	return l.process.effect("release", func() {
		if l.item.holder == l {
			l.item.holder, l.item.at = nil, time.Now().Add(after)
		}
	})
}

// source hands out the items of a queue that nobody holds.
type source struct {
	process *process
	queue   *queue
	ready   chan struct{}
	stop    chan struct{}
	stopped bool // guarded by the world's lock
}

func (s *source) Ready() <-chan struct{} { return s.ready }

func (s *source) Stop() {
	s.process.mu.Lock()
	defer s.process.mu.Unlock()
	s.stopped = true
	s.queue.open--
	close(s.stop)
}

// run tells of each change in the world: any of them may have brought a message.
func (s *source) run(changed <-chan struct{}) {
	for {
		select {
		case s.ready <- struct{}{}:
		default:
		}
		select {
		case <-changed:
		case <-s.stop:
			return
		}
		s.process.mu.Lock()
		changed = s.process.changed
		s.process.mu.Unlock()
	}
}

// Take takes hold of an item.
func (s *source) Take() (Message, bool) {
	s.process.mu.Lock()
	defer s.process.mu.Unlock()
	if s.stopped || s.process.outdated {
		return Message{}, false
	}
	for _, i := range s.queue.items {
		if i.acked || i.holder != nil || s.process.isDead() {
			continue
		}
		if left := time.Until(i.at); left > 0 {
			w := s.process.world
			time.AfterFunc(left, func() {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.change()
			})
			continue
		}
		i.holder = &lease{process: s.process, item: i}
		return Message{Work: i.work, Lease: i.holder, Taken: time.Now()}, true
	}
	return Message{}, false
}
