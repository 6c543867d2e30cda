package count

import (
	"cmp"
	"slices"
)

// AddressNumbers is what was counted of an address at one moment, by one process or by several.
type AddressNumbers struct {
	Accepted uint64 `json:"accepted"`
	// Refused counts by reason. A reason that did not occur is left out.
	Refused map[string]uint64 `json:"refused,omitempty"`
	// Unmatched counts events that no target of the address got. One that comes to a filter again
	// counts again.
	Unmatched uint64 `json:"unmatched"`
	// Failures are the last refused requests, the newest first.
	Failures []Failure `json:"failures,omitempty"`
}

// TargetNumbers is what was counted of a target at one moment, by one process or by several.
type TargetNumbers struct {
	Delivered uint64 `json:"delivered"`
	// Failed counts failed attempts by class. A class that did not occur is left out.
	Failed map[string]uint64 `json:"failed,omitempty"`
	// InFlight are attempts that run now, Retrying events that wait in a process for their next one.
	InFlight int64 `json:"inFlight"`
	Retrying int64 `json:"retrying"`
	// Parked counts how often an event was stored for the target alone, and Dead the dead letters.
	Parked uint64 `json:"parked"`
	Dead   uint64 `json:"dead"`
	// Failures are the last failed attempts, the newest first.
	Failures []Failure `json:"failures,omitempty"`
}

// Read returns the numbers with so many failures at most.
func (a *Address) Read(failures int) AddressNumbers {
	if a == nil {
		return AddressNumbers{}
	}
	n := AddressNumbers{Accepted: a.accepted.Load(), Unmatched: a.unmatched.Load(), Failures: a.last.newest(failures)}
	for i, r := range refusals() {
		n.Refused = added(n.Refused, r.reason, a.refused[i].Load())
	}
	return n
}

// Read returns the numbers with so many failures at most.
func (t *Target) Read(failures int) TargetNumbers {
	if t == nil {
		return TargetNumbers{}
	}
	n := TargetNumbers{
		Delivered: t.delivered.Load(), InFlight: t.inFlight.Load(), Retrying: t.retrying.Load(),
		Parked: t.parked.Load(), Dead: t.dead.Load(), Failures: t.last.newest(failures),
	}
	for class := range Class(classes) {
		n.Failed = added(n.Failed, class.String(), t.failed[class].Load())
	}
	return n
}

// Plus adds what another process has counted.
func (n AddressNumbers) Plus(other AddressNumbers) AddressNumbers {
	return AddressNumbers{
		Accepted: n.Accepted + other.Accepted, Unmatched: n.Unmatched + other.Unmatched,
		Refused: sum(n.Refused, other.Refused), Failures: merge(n.Failures, other.Failures),
	}
}

// Plus adds what another process has counted.
func (n TargetNumbers) Plus(other TargetNumbers) TargetNumbers {
	return TargetNumbers{
		Delivered: n.Delivered + other.Delivered, InFlight: n.InFlight + other.InFlight, Retrying: n.Retrying + other.Retrying,
		Parked: n.Parked + other.Parked, Dead: n.Dead + other.Dead,
		Failed: sum(n.Failed, other.Failed), Failures: merge(n.Failures, other.Failures),
	}
}

// IsZero reports whether nothing was counted.
func (n AddressNumbers) IsZero() bool {
	return n.Accepted == 0 && n.Unmatched == 0 && len(n.Refused) == 0
}

// IsZero reports whether nothing was counted.
func (n TargetNumbers) IsZero() bool {
	return n.Delivered == 0 && n.InFlight == 0 && n.Retrying == 0 && n.Parked == 0 && n.Dead == 0 && len(n.Failed) == 0
}

// added returns the map, which may be nil, with more under the name.
func added(to map[string]uint64, name string, more uint64) map[string]uint64 {
	if more == 0 {
		return to
	}
	if to == nil {
		to = map[string]uint64{}
	}
	to[name] += more
	return to
}

func sum(a, b map[string]uint64) map[string]uint64 {
	var all map[string]uint64
	for _, some := range []map[string]uint64{a, b} {
		for name, n := range some {
			all = added(all, name, n)
		}
	}
	return all
}

// merge keeps the newest of both.
func merge(a, b []Failure) []Failure {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y Failure) int { return cmp.Compare(y.At.UnixNano(), x.At.UnixNano()) })
	return all[:min(len(all), KeptFailures)]
}
