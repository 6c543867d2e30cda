package route

import (
	"errors"
	"maps"
	"testing"
	"time"
)

func address(name string) Record {
	return Record{Address: &Address{Key: Key{Kind: KindBroker, Namespace: "shop", Name: name}, Owner: "tests"}}
}

func target(name string) Record {
	return Record{Target: &Target{Key: TargetKey{Address: address("orders").Address.Key, Namespace: "shop", Name: name}, Owner: "tests"}}
}

func tombstone(r Record) Record {
	now := time.Now()
	r.DeletedAt = &now
	return r
}

func TestTable(t *testing.T) {
	type state struct {
		addresses, targets, failures int
		revision                     uint64
	}
	for _, c := range []struct {
		name  string
		steps func(*Table)
		want  state
	}{
		{"nothing", func(*Table) {}, state{}},
		{"an address and two targets", func(t *Table) {
			t.Apply("address", 3, address("orders"))
			t.Apply("one", 5, target("one"))
			t.Apply("two", 4, target("two"))
		}, state{1, 2, 0, 5}},
		{"the same again", func(t *Table) {
			t.Apply("one", 1, target("one"))
			t.Apply("one", 2, target("one"))
		}, state{0, 1, 0, 2}},
		{"tombstones", func(t *Table) {
			t.Apply("address", 1, address("orders"))
			t.Apply("one", 2, target("one"))
			t.Apply("address", 3, tombstone(address("orders")))
			t.Apply("one", 4, tombstone(target("one")))
		}, state{0, 0, 0, 4}},
		{"a tombstone of an unknown target", func(t *Table) { t.Apply("one", 9, tombstone(target("one"))) }, state{0, 0, 0, 9}},
		{"a record that cannot be read leaves the old one", func(t *Table) {
			t.Apply("one", 1, target("one"))
			t.Reject("one", 2, errors.New("garbled"))
		}, state{0, 1, 1, 2}},
		{"and a good one ends the failure", func(t *Table) {
			t.Reject("one", 2, errors.New("garbled"))
			t.Apply("one", 3, target("one"))
		}, state{0, 1, 0, 3}},
		{"a deleted key ends the failure and not the route", func(t *Table) {
			t.Apply("one", 1, target("one"))
			t.Reject("one", 2, errors.New("garbled"))
			t.Forget("one", 3)
		}, state{0, 1, 0, 3}},
		{"a bucket that was created again", func(t *Table) {
			t.Apply("one", 90, target("one"))
			t.Apply("two", 1, target("two"))
			t.Synced(1, time.Now())
		}, state{0, 2, 0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := NewTable()
			c.steps(table)
			s := table.Snapshot()
			got := state{len(s.Addresses), len(s.Targets), len(s.Failures), s.Revision}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if _, ok := table.Address(address("orders").Address.Key); ok != (c.want.addresses == 1) {
				t.Errorf("Address finds it: %v", ok)
			}
		})
	}
}

func TestSnapshotIsACopyAndSignalsChange(t *testing.T) {
	table := NewTable()
	table.Apply("one", 1, target("one"))
	s := table.Snapshot()
	for _, step := range []func(){
		func() { table.Apply("two", 2, target("two")) },
		func() { table.Reject("three", 3, errors.New("garbled")) },
		func() { table.Forget("three", 4) },
		func() { table.Synced(4, time.Now()) },
	} {
		old := table.Snapshot()
		select {
		case <-old.Changed:
			t.Error("it is said to be old before anything changed")
		default:
		}
		step()
		select {
		case <-old.Changed:
		default:
			t.Error("a change was not told")
		}
	}
	if len(s.Targets) != 1 || len(s.Failures) != 0 {
		t.Errorf("the first snapshot has changed: %+v", s)
	}
	maps.DeleteFunc(s.Targets, func(TargetKey, Target) bool { return true })
	if len(table.Snapshot().Targets) != 2 {
		t.Error("a change of the snapshot reached the table")
	}
}

// A removed target stays in Ended until it is swept, and in Swept until its tombstone is gone.
func TestRemovedTargets(t *testing.T) {
	swept := tombstone(target("one"))
	swept.Swept = true
	for _, c := range []struct {
		name         string
		steps        func(*Table)
		ended, swept bool
	}{
		{"not removed", func(t *Table) {}, false, false},
		{"removed", func(t *Table) { t.Apply("one", 2, tombstone(target("one"))) }, true, false},
		{"swept", func(t *Table) {
			t.Apply("one", 2, tombstone(target("one")))
			t.Apply("one", 3, swept)
		}, false, true},
		{"restored before it is swept", func(t *Table) {
			t.Apply("one", 2, tombstone(target("one")))
			t.Apply("one", 3, target("one"))
		}, false, false},
		{"created again after it was swept", func(t *Table) {
			t.Apply("one", 3, swept)
			t.Apply("one", 4, target("one"))
		}, false, false},
		{"its tombstone is gone", func(t *Table) {
			t.Apply("one", 3, swept)
			t.Forget("one", 4)
		}, false, false},
		{"its tombstone is lost before it is swept", func(t *Table) {
			t.Apply("one", 2, tombstone(target("one")))
			t.Forget("one", 3)
		}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := NewTable()
			table.Apply("one", 1, target("one"))
			c.steps(table)
			s := table.Snapshot()
			if got := len(s.Ended) == 1; got != c.ended {
				t.Errorf("in Ended: %t, want %t", got, c.ended)
			}
			if got := s.Swept["one"] == target("one").Target.Key.Address; got != c.swept {
				t.Errorf("in Swept: %t, want %t", got, c.swept)
			}
			if got := len(s.Targets) == 1; got != (!c.ended && !c.swept && c.name != "its tombstone is gone") {
				t.Errorf("in Targets: %t", got)
			}
		})
	}
}
