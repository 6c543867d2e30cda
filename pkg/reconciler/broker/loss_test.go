package broker

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgotesting "k8s.io/client-go/testing"
	"knative.dev/pkg/apis"
	rtesting "knative.dev/pkg/reconciler/testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
)

// lossRows are Brokers whose log is another one than it was.
func lossRows() []rtesting.TableRow {
	long := logMade.Add(-time.Hour)
	message := "the log was gone and was made again at " + logMade.Format(time.RFC3339) + ": events that were not delivered by then are lost"
	remade := withStatus(map[apis.ConditionType]apis.Condition{ConditionStream: is(corev1.ConditionTrue, address.ReasonRemade, message)})
	return []rtesting.TableRow{
		{
			Name: "the log was made again", Key: namespace + "/remade", WantErr: true, // to be looked at when it has been shown long enough
			Objects:           []runtime.Object{newBroker("remade", withStatus(nil), withLogMade(long))},
			WantStatusUpdates: []clientgotesting.UpdateActionImpl{{Object: newBroker("remade", remade, withLogMade(long))}},
			WantEvents:        []string{rtesting.Eventf(corev1.EventTypeWarning, address.ReasonRemade, message)},
		},
		{
			Name: "and that is told once", Key: namespace + "/told", WantErr: true,
			Objects: []runtime.Object{newBroker("told", remade, withLogMade(long))},
		},
		{
			Name: "nothing of it is left once the annotation is gone", Key: namespace + "/healed",
			Objects:           []runtime.Object{newBroker("healed", remade, withLogMade(logMade))},
			WantStatusUpdates: []clientgotesting.UpdateActionImpl{{Object: newBroker("healed", withStatus(nil))}},
		},
	}
}
