package route

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
)

// Table is the routes that one process knows. Reads never wait for the network. Safe for concurrent use.
type Table struct {
	mu  sync.RWMutex
	now Snapshot
	// hosts are the addresses by each of their host names. Where several claim one, they are in order and the first has it.
	hosts   map[string][]Key
	changed chan struct{}
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{
		now: Snapshot{
			Addresses: map[Key]Address{},
			Targets:   map[TargetKey]Target{},
			Ended:     map[TargetKey]Target{},
			Swept:     map[string]Key{},
			Failures:  map[string]string{},
		},
		hosts:   map[string][]Key{},
		changed: make(chan struct{}),
	}
}

// Apply takes over one record, read at the bucket's revision under the key.
func (t *Table) Apply(key string, revision uint64, r Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.now.Failures, key)
	switch {
	case r.Address != nil && r.DeletedAt != nil:
		t.unhost(r.Address.Key)
		delete(t.now.Addresses, r.Address.Key)
	case r.Address != nil:
		t.unhost(r.Address.Key)
		t.now.Addresses[r.Address.Key] = t.counted(*r.Address)
		t.host(*r.Address)
	case r.Target != nil:
		t.applyTarget(key, r)
	}
	t.advance(revision)
}

// applyTarget takes over a target's record. The caller holds the lock.
func (t *Table) applyTarget(key string, r Record) {
	target := t.countedTarget(*r.Target)
	delete(t.now.Targets, target.Key)
	delete(t.now.Ended, target.Key)
	delete(t.now.Swept, key)
	switch {
	case r.DeletedAt == nil:
		t.now.Targets[target.Key] = target
	case r.Swept:
		t.now.Swept[key] = target.Key.Address
	default:
		t.now.Ended[target.Key] = target
	}
}

// counted gives the address the counts that it has, or new ones. The caller holds the lock.
func (t *Table) counted(a Address) Address {
	if a.Counts = t.now.Addresses[a.Key].Counts; a.Counts == nil {
		a.Counts = &count.Address{}
	}
	return a
}

// countedTarget does so for a target, which keeps its counts as long as it may come back. The caller holds the lock.
func (t *Table) countedTarget(target Target) Target {
	target.Counts = cmp.Or(t.now.Targets[target.Key].Counts, t.now.Ended[target.Key].Counts)
	if target.Counts == nil {
		target.Counts = &count.Target{}
	}
	return target
}

// host enters the address under its host names. The caller holds the lock.
func (t *Table) host(a Address) {
	for _, host := range a.Hosts {
		at, taken := slices.BinarySearchFunc(t.hosts[host], a.Key, compareKeys)
		if !taken {
			t.hosts[host] = slices.Insert(t.hosts[host], at, a.Key)
		}
	}
}

// unhost takes the host names away that the address had. The caller holds the lock.
func (t *Table) unhost(key Key) {
	for _, host := range t.now.Addresses[key].Hosts {
		left := slices.DeleteFunc(t.hosts[host], func(k Key) bool { return k == key })
		t.hosts[host] = left
		if len(left) == 0 {
			delete(t.hosts, host)
		}
	}
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// Reject notes that the record under the key could not be read; what the table knew of it stays in force.
func (t *Table) Reject(key string, revision uint64, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Failures[key] = why.Error()
	t.advance(revision)
}

// Forget notes that the key holds nothing any more. A route does not end by that (see Record); a failure to read it does.
func (t *Table) Forget(key string, revision uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.now.Failures, key)
	delete(t.now.Swept, key)
	t.advance(revision)
}

// Synced notes that the bucket, made at this time, was read from its start to this revision. Only then may the watermark go
// down: the bucket was made anew, and its revisions count from the start.
func (t *Table) Synced(revision uint64, bucket time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Revision, t.now.Bucket = 0, bucket
	t.advance(revision)
}

// advance wakes those who wait on Changed. The caller holds the lock.
func (t *Table) advance(revision uint64) {
	t.now.Revision = max(t.now.Revision, revision)
	close(t.changed)
	t.changed = make(chan struct{})
}

// Address returns the address with this key.
func (t *Table) Address(key Key) (Address, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	a, ok := t.now.Addresses[key]
	return a, ok
}

// Host returns the address that is served under the host name, which is in lower case.
func (t *Table) Host(host string) (Address, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if keys := t.hosts[host]; len(keys) > 0 {
		return t.now.Addresses[keys[0]], true
	}
	return Address{}, false
}

// Snapshot is what a Table held at one moment.
type Snapshot struct {
	Addresses map[Key]Address
	Targets   map[TargetKey]Target
	// Ended are targets that were removed and may yet come back: they have kept their place. Swept are the addresses of targets that are
	// over, by the bucket's keys.
	Ended map[TargetKey]Target
	Swept map[string]Key
	// Failures maps the bucket's keys to why their records could not be read.
	Failures map[string]string
	// Revision is the watermark: what the bucket, which was made at the time Bucket, held up to it is in the table.
	Revision uint64
	Bucket   time.Time
	// Changed is closed when the table moves on from this snapshot.
	Changed <-chan struct{}
}

// Count returns how many addresses of the kind the table held, and how many targets those have.
func (s Snapshot) Count(kind Kind) (addresses, targets int) {
	for key := range s.Addresses {
		if key.Kind == kind {
			addresses++
		}
	}
	for key := range s.Targets {
		if key.Address.Kind == kind {
			targets++
		}
	}
	return addresses, targets
}

// Snapshot returns a copy of the table.
func (t *Table) Snapshot() Snapshot {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.now
	s.Addresses, s.Targets, s.Ended = maps.Clone(s.Addresses), maps.Clone(s.Targets), maps.Clone(s.Ended)
	s.Swept, s.Failures, s.Changed = maps.Clone(s.Swept), maps.Clone(s.Failures), t.changed
	return s
}
