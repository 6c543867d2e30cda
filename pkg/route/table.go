package route

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
)

// Table holds the routes of one process. Reads never wait for the network. Safe for concurrent use.
type Table struct {
	mu  sync.RWMutex
	now Snapshot
	// hosts are the addresses by host name, sorted. The first of several has the host name.
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

// Apply applies one record, read under the key at the bucket's revision.
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

// applyTarget applies a target's record. The caller holds mu.
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

// counted returns the address with its counts, or new ones. The caller holds mu.
func (t *Table) counted(a Address) Address {
	if a.Counts = t.now.Addresses[a.Key].Counts; a.Counts == nil {
		a.Counts = &count.Address{}
	}
	return a
}

// countedTarget does so for a target, also for one in Ended. The caller holds mu.
func (t *Table) countedTarget(target Target) Target {
	target.Counts = cmp.Or(t.now.Targets[target.Key].Counts, t.now.Ended[target.Key].Counts)
	if target.Counts == nil {
		target.Counts = &count.Target{}
	}
	return target
}

// host adds the address under its host names. The caller holds mu.
func (t *Table) host(a Address) {
	for _, host := range a.Hosts {
		at, taken := slices.BinarySearchFunc(t.hosts[host], a.Key, compareKeys)
		if !taken {
			t.hosts[host] = slices.Insert(t.hosts[host], at, a.Key)
		}
	}
}

// unhost removes the address from its host names. The caller holds mu.
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

// Reject notes that the record under the key could not be read. The table keeps what it had.
func (t *Table) Reject(key string, revision uint64, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Failures[key] = why.Error()
	t.advance(revision)
}

// Forget notes that the key is gone. That ends no route (see Record), but a failure to read it.
func (t *Table) Forget(key string, revision uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.now.Failures, key)
	delete(t.now.Swept, key)
	t.advance(revision)
}

// Synced notes that the bucket, created at this time, was read from its start to this revision.
// Only Synced may lower the watermark, for a bucket that was created again.
func (t *Table) Synced(revision uint64, bucket time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Revision, t.now.Bucket = 0, bucket
	t.advance(revision)
}

// advance raises the watermark and closes Changed. The caller holds mu.
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

// Host returns the address with the host name, which is in lower case.
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
	// Ended are targets that were removed, whose cursors still exist: they may come back. Swept are
	// the addresses of targets whose cursors are removed, by the bucket's keys.
	Ended map[TargetKey]Target
	Swept map[string]Key
	// Failures maps the bucket's keys to why their records could not be read.
	Failures map[string]string
	// Revision is the watermark: all records up to it are in the table. Bucket is when the bucket
	// that Revision counts in was created.
	Revision uint64
	Bucket   time.Time
	// Changed is closed when the table changes after this snapshot.
	Changed <-chan struct{}
}

// Count returns the number of addresses of the kind, and of their targets.
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
