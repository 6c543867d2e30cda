package main

import (
	"context"
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/manifest"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// undelivered says what routes hold.
type undelivered struct {
	addresses map[route.Key]status.AddressStatus
	targets   map[route.TargetKey]status.TargetStatus
}

// countUndelivered knows nothing of what cannot be read: what is done next does not depend on that.
func countUndelivered(ctx context.Context, read func(context.Context) (status.Status, error)) undelivered {
	u := undelivered{map[route.Key]status.AddressStatus{}, map[route.TargetKey]status.TargetStatus{}}
	s, err := read(ctx)
	if err != nil {
		return u
	}
	for _, a := range s.Addresses {
		u.addresses[a.Key] = a
	}
	for _, t := range s.Targets {
		u.targets[t.Key] = t
	}
	return u
}

// kept says what is kept of a route that has ended, and how long.
func (u undelivered) kept(e manifest.Ended) string {
	what := "its events"
	if e.Address != nil {
		if a, known := u.addresses[e.Address.Key]; known {
			what = heldByAddress(a)
		}
	} else if t, known := u.targets[e.Target.Key]; known {
		what = heldByTarget(t)
	}
	return fmt.Sprintf("%s are kept for %.0f s", what, fileGrace.Seconds())
}

func heldByAddress(a status.AddressStatus) string {
	return fmt.Sprintf("its log (%d events) and dead letters (%d)", a.Events, a.DeadLetters)
}

func heldByTarget(t status.TargetStatus) string {
	return fmt.Sprintf("its undelivered events (%d)", t.Backlog)
}
