package annotation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// Cluster is a Kubernetes cluster as a user may use it.
type Cluster struct {
	// Client has the user's rights.
	Client dynamic.Interface
	// Namespace is that of the context.
	Namespace string
	// Server is the URL of the API server.
	Server string
}

// Connect reads a kubeconfig as kubectl does: an explicit file, else those of the environment, else
// that of the home folder; and of it the named context, else the current one. It asks nothing of the server.
func Connect(kubeconfig, context string) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context})
	config, err := loaded.ClientConfig()
	if err != nil {
		return nil, err
	}
	namespace, _, err := loaded.Namespace()
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{Client: client, Namespace: namespace, Server: config.Host}, nil
}

// Resource is one that can be paused.
type Resource struct {
	// Kind is broker, trigger, channel or subscription.
	Kind, Namespace, Name string
}

// resources are what the API server calls them. A Channel's settings are those of the NatsJetStreamChannel behind it.
func (r Resource) resource() schema.GroupVersionResource {
	switch r.Kind {
	case "channel":
		return schema.GroupVersionResource{Group: "messaging.knative.dev", Version: "v1alpha1", Resource: "natsjetstreamchannels"}
	case "broker":
		return eventingv1.SchemeGroupVersion.WithResource("brokers")
	}
	return eventingv1.SchemeGroupVersion.WithResource("triggers")
}

// Pause annotates the resource with the reason. Errors: ErrSubscription, ErrForeign.
func (c *Cluster) Pause(ctx context.Context, r Resource, why string) error {
	_, err := c.annotate(ctx, r, &why)
	return err
}

// Resume removes the annotation. Errors: ErrSubscription, ErrForeign, ErrStaysPaused.
func (c *Cluster) Resume(ctx context.Context, r Resource) error {
	broker, err := c.annotate(ctx, r, nil)
	if err != nil || r.Kind != "trigger" || broker == nil {
		return err
	}
	if why := compile.PausedBy(broker.GetAnnotations()); why != "" {
		return fmt.Errorf("%w: its Broker is paused: %s", ErrStaysPaused, why)
	}
	return nil
}

// annotate sets the annotation, or removes it, and returns the Broker that the resource is or belongs to, if
// the user may read that.
func (c *Cluster) annotate(ctx context.Context, r Resource, why *string) (broker *unstructured.Unstructured, err error) {
	if r.Kind == "subscription" {
		return nil, ErrSubscription
	}
	resource := c.Client.Resource(r.resource()).Namespace(r.Namespace)
	have, err := resource.Get(ctx, r.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if broker, err = c.brokerOf(ctx, r, have); err != nil {
		return nil, err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{compile.PausedAnnotation: why}}})
	if err != nil {
		return nil, err
	}
	_, err = resource.Patch(ctx, r.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kn-jetstream"})
	return broker, err
}

// brokerOf returns the Broker that the resource is or belongs to. One that cannot be read is nil: who may
// annotate a Trigger need not have the right to read Brokers.
func (c *Cluster) brokerOf(ctx context.Context, r Resource, have *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	broker := have
	switch r.Kind {
	case "channel":
		return nil, nil //nolint:nilnil // a Channel has none
	case "trigger":
		var t eventingv1.Trigger
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(have.Object, &t); err != nil {
			return nil, fmt.Errorf("read Trigger %s/%s: %w", r.Namespace, r.Name, err)
		}
		key := compile.ChosenBroker(&t, t.Spec.BrokerRef != nil)
		var err error
		broker, err = c.Client.Resource(Resource{Kind: "broker"}.resource()).Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
		if err != nil {
			return nil, ctx.Err()
		}
	}
	if class := broker.GetAnnotations()[compile.ClassAnnotation]; class != compile.BrokerClass {
		return nil, fmt.Errorf("%w: Broker %s/%s is of class %q", ErrForeign, broker.GetNamespace(), broker.GetName(), class)
	}
	return broker, nil
}

// IsNoConfig tells that there is no kubeconfig at all.
func IsNoConfig(err error) bool {
	return errors.Is(err, clientcmd.ErrEmptyConfig) || clientcmd.IsEmptyConfig(err)
}
