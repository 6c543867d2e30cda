package dispatch

import (
	"context"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// slots bounds the requests of one target that run at the same time. Repeated work, that is retries and dead letters,
// takes a slot of again first: it gets half of all slots at most, and cannot keep healthy events out.
type slots struct {
	subscriber string
	size       int
	all, again *limit.Limiter
}

// resize returns the slots for the target. They are shared between the runners that follow each other, because they guard
// the subscriber. A target that moves to another subscriber gets new ones, so that requests
// which hang at the old one don't keep the new one idle.
func (s *slots) resize(target route.Target) *slots {
	size := target.MaxInFlight
	if size <= 0 {
		size = route.DefaultMaxInFlight
	}
	subscriber := target.Endpoint().URL
	if s == nil || s.subscriber != subscriber {
		return &slots{subscriber: subscriber, size: size, all: limit.New(size), again: limit.New(limit.Half(size))}
	}
	s.all.SetLimit(size)
	s.again.SetLimit(limit.Half(size))
	return &slots{subscriber: s.subscriber, size: size, all: s.all, again: s.again}
}

// first waits for a slot for an event's first attempt. It fails when ctx ends.
func (s *slots) first(ctx context.Context) (release func(), err error) {
	if err := s.all.Acquire(ctx); err != nil {
		return nil, err
	}
	return s.all.Release, nil
}

// repeated waits for a slot for a retry or a dead letter. It fails when ctx ends.
func (s *slots) repeated(ctx context.Context) (release func(), err error) {
	if err := s.again.Acquire(ctx); err != nil {
		return nil, err
	}
	if err := s.all.Acquire(ctx); err != nil {
		s.again.Release()
		return nil, err
	}
	return func() {
		s.all.Release()
		s.again.Release()
	}, nil
}
