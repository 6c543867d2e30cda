package route

import "testing"

// Counts stay while a route is edited, and while a removed target may come back.
func TestCountsStayWithTheirRoute(t *testing.T) {
	table := NewTable()
	table.Apply("a", 1, address("orders"))
	table.Apply("t", 2, target("one"))
	key, targetKey := address("orders").Address.Key, target("one").Target.Key
	before := table.Snapshot()
	before.Addresses[key].Counts.Accept(1)
	before.Targets[targetKey].Counts.Deliver()

	table.Apply("t", 3, tombstone(target("one")))
	table.Apply("a", 4, address("orders"))
	table.Apply("t", 5, target("one"))
	after := table.Snapshot()
	if n := after.Addresses[key].Counts.Read(0).Accepted; n != 1 {
		t.Errorf("after an edit %d are accepted, want 1", n)
	}
	if n := after.Targets[targetKey].Counts.Read(0).Delivered; n != 1 {
		t.Errorf("after it came back %d are delivered, want 1", n)
	}
	if found, _ := table.Address(key); found.Counts != after.Addresses[key].Counts {
		t.Error("the ingress finds other counts than the snapshot has")
	}

	over := tombstone(target("one"))
	over.Swept = true
	table.Apply("t", 6, over)
	table.Apply("t", 7, target("one"))
	if n := table.Snapshot().Targets[targetKey].Counts.Read(0).Delivered; n != 0 {
		t.Errorf("a target that was over begins with %d delivered", n)
	}
}
