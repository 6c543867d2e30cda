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

func (p *process) Log(ctx context.Context, t route.Target, _ int) (Source, error) {
	return p.open(ctx, "open log", p.logs, t)
}

func (p *process) Directed(ctx context.Context, t route.Target, _ int) (Source, error) {
	return p.open(ctx, "open directed", p.directed, t)
}

func (p *process) open(ctx context.Context, name string, in map[string]*queue, t route.Target) (Source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.step(name); err != nil {
		return nil, err
	}
	s := &source{
		process: p, ctx: ctx, queue: p.queue(in, t), ends: p.ends,
		out: make(chan Message), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	go s.run()
	return s, nil
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
	process       *process
	ctx           context.Context
	queue         *queue
	ends          chan struct{}
	out           chan Message
	stop, stopped chan struct{}
}

func (s *source) Messages() <-chan Message { return s.out }

func (s *source) Stop() {
	s.process.mu.Lock()
	if s.ctx.Err() != nil {
		s.process.orphans++
	}
	s.process.mu.Unlock()
	close(s.stop)
	<-s.stopped
}

func (s *source) run() {
	defer close(s.stopped)
	defer close(s.out)
	for {
		m, held, wait := s.next()
		if held == nil {
			select {
			case <-wait:
			case <-s.stop:
				return
			case <-s.ends:
				return
			case <-s.process.dead:
				<-s.stop
				return
			}
			continue
		}
		select {
		case s.out <- m:
		case <-s.stop:
			s.giveBack(held)
			return
		}
	}
}

// next takes hold of an item, or returns a channel that tells when to look again.
func (s *source) next() (Message, *lease, <-chan struct{}) {
	s.process.mu.Lock()
	defer s.process.mu.Unlock()
	wait := s.process.changed
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
		return Message{Work: i.work, Lease: i.holder}, i.holder, nil
	}
	return Message{}, nil, wait
}

func (s *source) giveBack(held *lease) {
	s.process.mu.Lock()
	defer s.process.mu.Unlock()
	if held.item.holder == held {
		held.item.holder = nil
	}
	s.process.change()
}
