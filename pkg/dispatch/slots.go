package dispatch

import (
	"context"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/limit"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// slots bounds the requests of one target that run at the same time. Repeated work, that is
// retries, dead letters and parked work, takes a slot of repeated first: it gets half of all slots
// at most, and cannot keep new events out.
type slots struct {
	subscriber    string
	all, repeated *limit.Limiter
}

// resize returns the slots for the target. Runners that follow each other share slots, because
// slots guard the subscriber. A target that moves to another subscriber gets new slots, so that
// requests which hang at the old subscriber do not keep the new one idle.
func (s *slots) resize(target route.Target) *slots {
	size := target.MaxInFlight
	if size <= 0 {
		size = route.DefaultMaxInFlight
	}
	subscriber := target.Endpoint().URL
	if s == nil || s.subscriber != subscriber {
		return &slots{subscriber: subscriber, all: limit.New(size), repeated: limit.New(limit.Half(size))}
	}
	s.all.SetLimit(size)
	s.repeated.SetLimit(limit.Half(size))
	return s
}

// acquireRepeated waits for a slot for repeated work. It fails when ctx ends.
func (s *slots) acquireRepeated(ctx context.Context) (release func(), err error) {
	if err := s.repeated.Acquire(ctx); err != nil {
		return nil, err
	}
	if err := s.all.Acquire(ctx); err != nil {
		s.repeated.Release()
		return nil, err
	}
	return func() {
		s.all.Release()
		s.repeated.Release()
	}, nil
}
