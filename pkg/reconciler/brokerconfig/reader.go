// Package brokerconfig reads the ConfigMap that a Broker's spec.config names.
package brokerconfig

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/tracker"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
)

// Reasons of the condition that says what became of spec.config.
const (
	ReasonNone            = "NoConfig"
	ReasonChannelTemplate = "ChannelTemplateIgnored"
	ReasonMissing         = "ConfigMapMissing"
	ReasonInvalid         = "ConfigMapInvalid"
	ReasonUnsupported     = "ConfigKindUnsupported"
	ReasonUnreadable      = "ConfigMapUnreadable"
)

// Result is what became of spec.config. Reason and Message are "" when it was read and is as it should be.
type Result struct {
	// Usable is false when the Broker's configuration is not known; Config is not to be used then.
	Usable          bool
	Config          config.Broker
	Reason, Message string
}

// ConfigMaps returns a ConfigMap; it is what Watcher does.
type ConfigMaps interface {
	Get(key types.NamespacedName) (*corev1.ConfigMap, error)
}

// Reader reads the ConfigMaps of Brokers.
type Reader struct {
	ConfigMaps ConfigMaps
	// Tracker has the resource that asked reconciled when the ConfigMap changes or comes to be.
	Tracker tracker.Interface
}

// Read returns the configuration of a Broker on behalf of a resource, which is tracked.
func (r Reader) Read(b *eventingv1.Broker, onBehalf any) Result {
	ref := b.Spec.Config
	if ref == nil {
		return Result{Usable: true, Reason: ReasonNone, Message: "spec.config is not set: defaults apply"}
	}
	if ref.Kind != "ConfigMap" || (ref.APIVersion != "v1" && ref.APIVersion != "") {
		return Result{Reason: ReasonUnsupported, Message: fmt.Sprintf("spec.config must be a ConfigMap of v1, not %s of %s", ref.Kind, ref.APIVersion)}
	}
	namespace := ref.Namespace
	if namespace == "" {
		namespace = b.Namespace
	}
	if err := r.Tracker.TrackReference(tracker.Reference{APIVersion: "v1", Kind: "ConfigMap", Namespace: namespace, Name: ref.Name}, onBehalf); err != nil {
		return Result{Reason: ReasonUnreadable, Message: fmt.Sprintf("ConfigMap %s/%s: %v", namespace, ref.Name, err)}
	}
	found, err := r.ConfigMaps.Get(types.NamespacedName{Namespace: namespace, Name: ref.Name})
	return judge(duckv1.KReference{Namespace: namespace, Name: ref.Name}, found, err)
}

// judge is a pure function of what was found.
func judge(ref duckv1.KReference, found *corev1.ConfigMap, err error) Result {
	name := fmt.Sprintf("ConfigMap %s/%s", ref.Namespace, ref.Name)
	switch {
	case apierrs.IsNotFound(err):
		return Result{Reason: ReasonMissing, Message: name + " does not exist"}
	case err != nil:
		return Result{Reason: ReasonUnreadable, Message: fmt.Sprintf("%s: %v", name, err)}
	}
	parsed, err := config.ParseBroker(found.Data)
	switch {
	case errors.Is(err, config.ErrChannelTemplate):
		return Result{Usable: true, Reason: ReasonChannelTemplate,
			Message: fmt.Sprintf("%s holds %s, which this Broker class does not use: defaults apply", name, config.ChannelTemplateKey)}
	case err != nil:
		return Result{Reason: ReasonInvalid, Message: fmt.Sprintf("%s: %v", name, err)}
	}
	return Result{Usable: true, Config: parsed}
}
