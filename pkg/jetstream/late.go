package jetstream

import (
	"context"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Directed reads what was parked for the target, from the moment that there is something.
func (o *Opener) Directed(_ context.Context, target route.Target, capacity int) (dispatch.Source, error) {
	s := &lateSource{
		directory: o.directory, target: target, capacity: capacity,
		out: make(chan dispatch.Message), stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	o.directory.await(target.Key, s)
	return s, nil
}

// lateSource yields nothing until its consumer comes into being, and then what that yields. Most never come to that, so there is no
// goroutine before.
type lateSource struct {
	directory     *directory
	target        route.Target
	capacity      int
	out           chan dispatch.Message
	stop, stopped chan struct{}

	mu           sync.Mutex
	begun, ended bool
}

func (s *lateSource) Messages() <-chan dispatch.Message { return s.out }

// begin starts to read. The directory calls it, at most once.
func (s *lateSource) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.begun = true
		s.directory.client.background.Go(s.run)
	}
}

func (s *lateSource) Stop() {
	s.directory.stopWaiting(s.target.Key, s)
	s.mu.Lock()
	first := !s.ended
	s.ended = true
	s.mu.Unlock()
	switch {
	case first && s.begun:
		close(s.stop)
	case first:
		close(s.out)
		close(s.stopped)
	}
	<-s.stopped
}

func (s *lateSource) run() {
	defer close(s.stopped)
	defer close(s.out)
	source := s.open()
	if source == nil {
		return
	}
	defer source.Stop()
	for {
		select {
		case m, open := <-source.Messages():
			if !open {
				return
			}
			select {
			case s.out <- m:
			case <-s.stop:
				_ = m.Release(0)
				return
			}
		case <-s.stop:
			return
		}
	}
}

// open tries until it is stopped, and then returns nil.
func (s *lateSource) open() dispatch.Source {
	c := s.directory.client
	for {
		source, err := c.pull(pullTarget{
			stream: c.names.DirectedStream(s.target.Key.Address), consumer: c.names.Consumer(s.target.Key),
			capacity: s.capacity, decode: decodeDirected,
		})
		if err == nil {
			return source
		}
		c.log.Warn("directed source cannot be opened", "target", s.target.Key.String(), "error", err)
		retry := time.NewTimer(lookEvery)
		select {
		case <-retry.C:
		case <-s.stop:
			retry.Stop()
			return nil
		}
	}
}
