package eventtype

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

const (
	// maxSeen bounds each of the two generations: with MaxTextBytes, to 16 MiB.
	maxSeen = 16 << 10
	// refreshEvery is the length of a generation. A type in use is recorded again after one to two
	// generations, so that a lost record, or an EventType deleted by hand, returns soon.
	refreshEvery = RecordTTL / 4
)

// seen holds the ids recorded lately, in two generations. An id ends with its generation, whether
// or not it was looked up: a type in use has to be recorded again. The caller has a lock.
type seen struct {
	young, old map[ID]struct{}
	// perAddress counts young.
	perAddress map[route.Key]int
	// ends is when the young generation becomes the old one.
	ends time.Time
}

// has reports whether the id was recorded lately. It starts a new generation when due.
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

// hasRoom reports whether the address may have another record: no sender may fill the bucket.
func (s *seen) hasRoom(address route.Key) bool { return s.perAddress[address] < MaxPerAddress }

// add adds the id. Call has before it, which makes the maps.
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
