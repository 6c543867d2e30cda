// Package count holds what one process has counted of each address and of each target since the
// process began. The route table keeps a counter beside each route, so that whoever has the route
// counts with an atomic addition, without looking anything up. What is counted stands here and
// nowhere else: metrics and the answers to kn-jetstream read the same values.
//
// A counter that is nil counts nothing. Counters are safe for concurrent use.
package count

import "sync/atomic"

// Address counts what an ingress takes for one address, and what a filter finds unwanted there.
type Address struct {
	accepted, unmatched atomic.Uint64
	refused             [reasons]atomic.Uint64
	last                failures
}

// Accept counts events that are stored.
func (a *Address) Accept(events int) {
	if a != nil {
		a.accepted.Add(uint64(events)) //nolint:gosec // never negative
	}
}

// Refuse counts events that are answered with the status. A request that is refused before its
// events are known counts as one.
func (a *Address) Refuse(events int, status int, text string) {
	if a == nil {
		return
	}
	a.refused[refusalOf(status)].Add(uint64(events)) //nolint:gosec // never negative
	a.last.add(Failure{Code: status, Message: text})
}

// Unmatch counts an event that no target of the address gets.
func (a *Address) Unmatch() {
	if a != nil {
		a.unmatched.Add(1)
	}
}

// Target counts what a filter does for one target.
type Target struct {
	delivered, parked, dead atomic.Uint64
	inFlight, retrying      atomic.Int64
	failed                  [classes]atomic.Uint64
	last                    failures
}

// Begin counts an attempt that begins, and End one that has ended and is settled.
func (t *Target) Begin() {
	if t != nil {
		t.inFlight.Add(1)
	}
}

// End is Begin's counterpart.
func (t *Target) End() {
	if t != nil {
		t.inFlight.Add(-1)
	}
}

// Deliver counts an event that the target has accepted.
func (t *Target) Deliver() {
	if t != nil {
		t.delivered.Add(1)
	}
}

// Fail counts an attempt that has failed.
func (t *Target) Fail(class Class, f Failure) {
	if t != nil {
		t.failed[class].Add(1)
		t.last.add(f)
	}
}

// Park counts an event that is stored for the target alone.
func (t *Target) Park() {
	if t != nil {
		t.parked.Add(1)
	}
}

// GiveUp counts a dead letter that is stored, or that the dead letter sink has accepted.
func (t *Target) GiveUp() {
	if t != nil {
		t.dead.Add(1)
	}
}

// Wait counts events that wait in the process for their next attempt, or with a negative number
// those that do no longer.
func (t *Target) Wait(events int) {
	if t != nil {
		t.retrying.Add(int64(events))
	}
}
