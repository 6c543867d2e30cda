package broker

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	rtesting "knative.dev/pkg/reconciler/testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// replacedRows are Brokers that were deleted and made again with another storage; see withLogOf.
func replacedRows(since time.Time) []rtesting.TableRow {
	return []rtesting.TableRow{
		replaced("replaced", address.ReasonPredecessor, "waits for the log of the Broker of this name before it, which has another storage: "+
			"until 2036-11-22T10:00:00Z, or until all that it holds is delivered", data(endKey, timedRoutes{until: since.AddDate(10, 0, 0)})),
		replaced("replacedmade", address.ReasonPredecessor, "the log of the Broker of this name before it was removed"),
		replaced("replacedbad", address.ReasonNotStored, "odd", data(endKey, timedRoutes{end: errors.New("odd")})),
		replaced("replacedstale", address.ReasonPredecessor, "this Broker is no longer the one of this name", data(liveKey, types.UID("another"))),
		replaced("replacedunread", address.ReasonPredecessor, "stream kn_log_broker_shop_replacedunread, of a resource of this name that was deleted, "+
			"is in the way: NATS cannot change this field of a live stream: storage; whether that resource is gone cannot be read: no answer",
			data(liveKey, types.UID(""))),
	}
}

// withLogOf makes the log of a Broker with another UID and storage.
func withLogOf(t *testing.T, owner *owner.Owner, names ...string) {
	t.Helper()
	for _, name := range names {
		before := route.Address{Key: compile.BrokerKey(namespace, name), UID: "before", Log: route.Log{Memory: true, MaxBytes: 1 << 20}}
		if _, err := owner.PutAddress(t.Context(), before); err != nil {
			t.Fatal(err)
		}
	}
}

func replaced(name, reason, message string, expect ...expectation) rtesting.TableRow {
	status := corev1.ConditionUnknown
	if reason == address.ReasonNotStored {
		status = corev1.ConditionFalse
	}
	expect = append(expect, neverRouted, condition(ConditionStream, is(status, reason, message)))
	row := rowOf(name, newBroker(name), append(expect, requeued))
	if status == corev1.ConditionFalse {
		row.WantEvents = []string{rtesting.Eventf(corev1.EventTypeWarning, "BrokerNotReady", "%s: %s", reason, message)}
	}
	return row
}
