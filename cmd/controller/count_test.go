package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/types"
	clientgotesting "k8s.io/client-go/testing"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	fakeeventingclient "knative.dev/eventing/pkg/client/injection/client/fake"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/reconciler"
)

// leaderAware is what a generated reconciler is besides a controller.Reconciler.
type leaderAware interface {
	reconciler.LeaderAware
	IsLeaderFor(key types.NamespacedName) bool
}

// countedReconciler counts how often a reconciler is called.
type countedReconciler struct {
	controller.Reconciler
	leaderAware
	calls atomic.Int64
}

func (r *countedReconciler) Reconcile(ctx context.Context, key string) error {
	r.calls.Add(1)
	return r.Reconciler.Reconcile(ctx, key)
}

// count has the reconciles of the controllers counted: of Brokers, Channels, Triggers and EventTypes, in this order.
func (c *cluster) count(controllers []*controller.Impl) {
	c.t.Helper()
	c.counted = map[string]*countedReconciler{}
	for i, kind := range []string{"brokers", "channels", "triggers", "eventtypes"} {
		aware, ok := controllers[i].Reconciler.(leaderAware)
		if !ok {
			c.t.Fatalf("the reconciler of %s knows nothing of leadership", kind)
		}
		c.counted[kind] = &countedReconciler{Reconciler: controllers[i].Reconciler, leaderAware: aware}
		controllers[i].Reconciler = c.counted[kind]
	}
}

// follow has another process lead for the resources of a kind, from now on.
func (c *cluster) follow(resource string) { c.counted[resource].Demote(reconciler.UniversalBucket()) }

// cost is what something took from the API server and from the controllers.
type cost struct {
	reconciles, statusWrites, calls int
}

// costOf is what a resource ("triggers") has cost so far. The calls of informers are not counted.
func (c *cluster) costOf(resource string) cost {
	c.t.Helper()
	var sum cost
	if counted := c.counted[resource]; counted != nil {
		sum.reconciles = int(counted.calls.Load())
	}
	for _, action := range fakeeventingclient.Get(c.ctx).Actions() {
		if action.GetResource().Resource != resource || action.GetVerb() == "watch" {
			continue
		}
		sum.calls++
		if _, isUpdate := action.(clientgotesting.UpdateAction); isUpdate && action.GetSubresource() == "status" {
			sum.statusWrites++
		}
	}
	return sum
}

func (a cost) minus(b cost) cost {
	return cost{a.reconciles - b.reconciles, a.statusWrites - b.statusWrites, a.calls - b.calls}
}

// writes are the conditions of a Trigger that is not True, at each write of its status.
func (c *cluster) writes(name string) (all []string) {
	for _, action := range fakeeventingclient.Get(c.ctx).Actions() {
		update, isUpdate := action.(clientgotesting.UpdateAction)
		if !isUpdate || action.GetSubresource() != "status" {
			continue
		}
		t, isTrigger := update.GetObject().(*eventingv1.Trigger)
		if !isTrigger || t.Name != name {
			continue
		}
		open := ""
		for _, condition := range t.Status.Conditions {
			if !condition.IsTrue() {
				open += fmt.Sprintf("%s=%s %s: %s; ", condition.Type, condition.Status, condition.Reason, condition.Message)
			}
		}
		all = append(all, open)
	}
	return all
}
