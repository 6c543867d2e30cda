// Package reconcilertest builds reconcilers for table tests: on fake Kubernetes clients, and on a real nats-server.
package reconcilertest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	corev1listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/record"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	eventingv1alpha1 "knative.dev/eventing/pkg/apis/eventing/v1alpha1"
	"knative.dev/eventing/pkg/client/clientset/versioned"
	eventingscheme "knative.dev/eventing/pkg/client/clientset/versioned/fake"
	fakeeventingclient "knative.dev/eventing/pkg/client/injection/client/fake"
	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"
	eventingv1alpha1listers "knative.dev/eventing/pkg/client/listers/eventing/v1alpha1"
	"knative.dev/pkg/client/injection/ducks/duck/v1/addressable"
	"knative.dev/pkg/client/injection/ducks/duck/v1/source"
	"knative.dev/pkg/controller"
	fakedynamicclient "knative.dev/pkg/injection/clients/dynamicclient/fake"
	logtesting "knative.dev/pkg/logging/testing"
	"knative.dev/pkg/reconciler"
	rtesting "knative.dev/pkg/reconciler/testing"
	"knative.dev/pkg/tracker"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/buckets"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/brokerconfig"
	"github.com/eventing-jetstream/eventing-jetstream/test/natstest"
)

// World is what a reconciler under test is built from.
type World struct {
	Client   versioned.Interface
	Recorder record.EventRecorder
	Tracker  tracker.Interface

	Brokers    eventinglisters.BrokerLister
	Triggers   eventinglisters.TriggerLister
	Policies   eventingv1alpha1listers.EventPolicyLister
	ConfigMaps brokerconfig.ConfigMaps
}

// Factory has each row of a table test reconciled by what build returns.
func Factory(build func(context.Context, *rtesting.TableRow, World) controller.Reconciler) rtesting.Factory {
	return func(t *testing.T, row *rtesting.TableRow) (controller.Reconciler, rtesting.ActionRecorderList, rtesting.EventList) {
		t.Helper()
		objects := runtime.NewScheme()
		must(t, scheme.AddToScheme(objects))
		must(t, eventingscheme.AddToScheme(objects))
		sorted := rtesting.NewObjectSorter(objects)
		sorted.AddObjects(row.Objects...)

		ctx := logtesting.TestContextWithLogger(t)
		ctx, client := fakeeventingclient.With(ctx, sorted.ObjectsForSchemeFunc(eventingscheme.AddToScheme)...)
		ctx, dynamic := fakedynamicclient.With(ctx, objects, row.Objects...)
		ctx = source.WithDuck(addressable.WithDuck(ctx))
		recorder := record.NewFakeRecorder(100)
		ctx = controller.WithEventRecorder(ctx, recorder)
		row.Ctx = ctx

		r := build(ctx, row, World{
			Client: client, Recorder: recorder, Tracker: tracker.New(func(types.NamespacedName) {}, time.Hour),
			Brokers:    eventinglisters.NewBrokerLister(sorted.IndexerForObjectType(&eventingv1.Broker{})),
			Triggers:   eventinglisters.NewTriggerLister(sorted.IndexerForObjectType(&eventingv1.Trigger{})),
			Policies:   eventingv1alpha1listers.NewEventPolicyLister(sorted.IndexerForObjectType(&eventingv1alpha1.EventPolicy{})),
			ConfigMaps: configMaps{corev1listers.NewConfigMapLister(sorted.IndexerForObjectType(&corev1.ConfigMap{}))},
		})
		if leader, ok := r.(reconciler.LeaderAware); ok {
			must(t, leader.Promote(reconciler.UniversalBucket(), func(reconciler.Bucket, types.NamespacedName) {}))
		}
		_ = dynamic // its actions are the informers' own
		return r, rtesting.ActionRecorderList{client}, rtesting.EventList{Recorder: recorder}
	}
}

// configMaps are those of a row.
type configMaps struct{ lister corev1listers.ConfigMapLister }

func (c configMaps) Get(key types.NamespacedName) (*corev1.ConfigMap, error) {
	return c.lister.ConfigMaps(key.Namespace).Get(key.Name)
}

// Owner returns an owner of routes in a new nats-server, and a client that sees what it does.
func Owner(t *testing.T) (*owner.Owner, *jetstream.Client) {
	t.Helper()
	return OwnerIn(t, natstest.Start(t, nil))
}

// OwnerIn returns an owner of routes in this nats-server, and a client that sees what it does.
func OwnerIn(t *testing.T, server *natstest.Server) (*owner.Owner, *jetstream.Client) {
	t.Helper()
	names, err := naming.New(naming.DefaultPrefix)
	must(t, err)
	client, err := jetstream.Connect(jetstream.Options{
		URL: server.URL(), Names: names, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	t.Cleanup(client.Close)
	must(t, client.Wait(t.Context()))
	must(t, buckets.Ensure(t.Context(), client))
	return owner.New(client, "controller", time.Minute), client
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
