package annotation_test

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/annotation"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

func object(apiVersion, kind, name string, annotations, spec map[string]any) runtime.Object {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "spec": spec,
		"metadata": map[string]any{"namespace": "shop", "name": name, "annotations": annotations},
	}}
}

// cluster has two Brokers of ours, one of which is paused, one of somebody else's, a Trigger of each, and a Channel.
func cluster() *annotation.Cluster {
	const eventing = "eventing.knative.dev/v1"
	ours := func(more map[string]any) map[string]any {
		more[compile.ClassAnnotation] = compile.BrokerClass
		return more
	}
	of := func(broker string) map[string]any { return map[string]any{"broker": broker} }
	return &annotation.Cluster{Client: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{},
		object(eventing, "Broker", "default", ours(map[string]any{"kept": "yes"}), nil),
		object(eventing, "Broker", "still", ours(map[string]any{compile.PausedAnnotation: "an audit"}), nil),
		object(eventing, "Broker", "foreign", map[string]any{compile.ClassAnnotation: "MTChannelBasedBroker"}, nil),
		object(eventing, "Trigger", "pay", nil, of("default")),
		object(eventing, "Trigger", "ship", nil, of("still")),
		object(eventing, "Trigger", "theirs", nil, of("foreign")),
		object(eventing, "Trigger", "early", nil, of("none")),
		object("messaging.knative.dev/v1alpha1", "NatsJetStreamChannel", "orders", nil, nil),
	)}
}

// annotations are those of the resource.
func annotations(t *testing.T, c *annotation.Cluster, r annotation.Resource) map[string]string {
	t.Helper()
	group := schema.GroupVersionResource{Group: "eventing.knative.dev", Version: "v1", Resource: r.Kind + "s"}
	if r.Kind == "channel" {
		group = schema.GroupVersionResource{Group: "messaging.knative.dev", Version: "v1alpha1", Resource: "natsjetstreamchannels"}
	}
	have, err := c.Client.Resource(group).Namespace(r.Namespace).Get(t.Context(), r.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return have.GetAnnotations()
}

func TestAResourceIsPausedByItsAnnotation(t *testing.T) {
	for _, r := range []annotation.Resource{
		{Kind: "trigger", Namespace: "shop", Name: "pay"}, {Kind: "trigger", Namespace: "shop", Name: "early"},
		{Kind: "broker", Namespace: "shop", Name: "default"}, {Kind: "channel", Namespace: "shop", Name: "orders"},
	} {
		t.Run(r.Kind+" "+r.Name, func(t *testing.T) {
			c := cluster()
			before := annotations(t, c, r)
			if err := c.Pause(t.Context(), r, `the "shop" moves`); err != nil {
				t.Fatal(err)
			}
			if got := annotations(t, c, r); got[compile.PausedAnnotation] != `the "shop" moves` || got["kept"] != before["kept"] {
				t.Errorf("the annotations are %v, before they were %v", got, before)
			}
			if err := c.Resume(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			if got := annotations(t, c, r); len(got) != len(before) || got["kept"] != before["kept"] {
				t.Errorf("the annotations are %v, want %v", got, before)
			}
		})
	}
}

func TestWhatCannotBePausedIsLeftAlone(t *testing.T) {
	for _, test := range []struct {
		name string
		r    annotation.Resource
		is   func(error) bool
	}{
		{"a Subscription", annotation.Resource{Kind: "subscription", Namespace: "shop", Name: "pay"}, func(err error) bool { return errors.Is(err, annotation.ErrSubscription) }},
		{"another's Broker", annotation.Resource{Kind: "broker", Namespace: "shop", Name: "foreign"}, func(err error) bool { return errors.Is(err, annotation.ErrForeign) }},
		{"a Trigger of another's Broker", annotation.Resource{Kind: "trigger", Namespace: "shop", Name: "theirs"}, func(err error) bool { return errors.Is(err, annotation.ErrForeign) }},
		{"nothing", annotation.Resource{Kind: "trigger", Namespace: "shop", Name: "none"}, apierrors.IsNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := cluster()
			if err := c.Pause(t.Context(), test.r, "x"); !test.is(err) {
				t.Errorf("error %v", err)
			}
			if test.r.Name == "none" || test.r.Kind == "subscription" {
				return
			}
			if got := annotations(t, c, test.r); got[compile.PausedAnnotation] != "" {
				t.Errorf("the annotations are %v", got)
			}
		})
	}
}

func TestATriggerStaysPausedWithItsBroker(t *testing.T) {
	c := cluster()
	err := c.Resume(t.Context(), annotation.Resource{Kind: "trigger", Namespace: "shop", Name: "ship"})
	if !errors.Is(err, annotation.ErrStaysPaused) || !strings.Contains(err.Error(), "an audit") {
		t.Errorf("error %v, want that the Broker is paused, and why", err)
	}
}
