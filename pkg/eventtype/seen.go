package eventtype

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// maxSeen bounds each of the two generations of what was seen: with MaxTextBytes, to 16 MiB.
	maxSeen = 16 << 10
	// refreshEvery is when a generation ends: a type that is still in use is recorded again after one to two of them, so that
	// neither its record nor an EventType that was deleted by hand is missing for long.
	refreshEvery = RecordTTL / 4
)

// seen is what was recorded lately, in two generations: an entry goes with its generation, whether it is asked for or not.
// That is all that a cache has to do here, so there is no order of use to keep. It has no lock of its own.
type seen struct {
	young, old map[ID]struct{}
	// perAddress counts young.
	perAddress map[route.Key]int
	// ends is when young becomes old.
	ends time.Time
}

// has also ends a generation whose time has come.
func (s *seen) has(id ID, now time.Time) bool {
	if len(s.young) >= maxSeen || !now.Before(s.ends) {
		s.old, s.young, s.perAddress = s.young, map[ID]struct{}{}, map[route.Key]int{}
		s.ends = now.Add(refreshEvery)
	}
	if _, ok := s.young[id]; ok {
		return true
	}
	_, ok := s.old[id]
	return ok
}

// hasRoom reports whether one more of the address may be added. Without this bound one sender could fill the bucket for all.
func (s *seen) hasRoom(address route.Key) bool { return s.perAddress[address] < MaxPerAddress }

// add is called after has.
func (s *seen) add(id ID) {
	s.young[id] = struct{}{}
	s.perAddress[id.Address]++
}

// forget undoes add.
func (s *seen) forget(id ID) {
	if _, ok := s.young[id]; ok {
		delete(s.young, id)
		s.perAddress[id.Address]--
	}
	delete(s.old, id)
}
