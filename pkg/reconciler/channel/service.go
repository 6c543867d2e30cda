package channel

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrs "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/eventing/pkg/apis/feature"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/kmeta"
	"knative.dev/pkg/network"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/address"
)

// ServiceSelector finds the Services of Channels by their label.
const ServiceSelector = roleLabel + "=" + role

const (
	// roleLabel is Knative's, on the Services of channels of all kinds.
	roleLabel = "messaging.knative.dev/role"
	role      = "natsjetstream-channel"
	// serviceSuffix is the one of eventing-natss: a Channel that was its keeps its address, and its Service is taken over.
	serviceSuffix = "-kn-jsm-channel"
)

// serviceName is the name of the Channel's Service, in the Channel's namespace.
func serviceName(c *v1alpha1.NatsJetStreamChannel) string {
	return kmeta.ChildName(c.Name, serviceSuffix)
}

// hosts are the names that a pod may call the Channel by; the first is the one in its address.
func hosts(c *v1alpha1.NatsJetStreamChannel) []string {
	short := serviceName(c) + "." + c.Namespace
	return []string{network.GetServiceHostname(serviceName(c), c.Namespace), short + ".svc", short}
}

// serviceOf is the Service that gives the Channel its host name: another name for the ingress, which tells Channels by it. It is the
// Channel's, so that it goes with it; it does not keep the Channel from going first, which needs a permission that nothing else does.
func serviceOf(c *v1alpha1.NatsJetStreamChannel, ingressHost string) *corev1.Service {
	owner := kmeta.NewControllerRef(c)
	owner.BlockOwnerDeletion = nil
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.Namespace, Name: serviceName(c),
			Labels:          map[string]string{roleLabel: role, "app.kubernetes.io/name": "eventing-jetstream"},
			OwnerReferences: []metav1.OwnerReference{*owner},
		},
		Spec: corev1.ServiceSpec{
			Type:         corev1.ServiceTypeExternalName,
			ExternalName: ingressHost,
			Ports:        []corev1.ServicePort{{Name: "http", Protocol: corev1.ProtocolTCP, Port: 80}},
		},
	}
}

// makeService sets ConditionAddressable, status.address and status.addresses.
func (r *Reconciler) makeService(ctx context.Context, w *work) {
	status := &w.channel.Status
	if feature.FromContext(ctx).IsStrictTransportEncryption() {
		status.AddressStatus = duckv1.AddressStatus{}
		w.status.MarkFalse(v1alpha1.ConditionAddressable, address.ReasonStrictTLS, "there is no https address yet")
		return
	}
	if reason, err := r.ensureService(ctx, w.channel); err != nil {
		w.retry = address.RetryAfter
		w.status.MarkFalse(v1alpha1.ConditionAddressable, reason, "%v", err)
		return
	}
	url := httpURL(hosts(w.channel)[0])
	at := duckv1.Addressable{Name: &url.Scheme, URL: url}
	status.AddressStatus = duckv1.AddressStatus{Address: &at, Addresses: []duckv1.Addressable{at}}
	address.MarkAddressable(ctx, w.status, v1alpha1.ConditionAddressable)
}

// ensureService makes the Service what it should be, or says why it cannot.
func (r *Reconciler) ensureService(ctx context.Context, c *v1alpha1.NatsJetStreamChannel) (reason string, err error) {
	want := serviceOf(c, r.ingressHost)
	services := r.client.CoreV1().Services(want.Namespace)
	have, err := r.services.Services(want.Namespace).Get(want.Name)
	if apierrs.IsNotFound(err) {
		_, err = services.Create(ctx, want, metav1.CreateOptions{})
		if !apierrs.IsAlreadyExists(err) {
			return ReasonNoService, err
		}
		// One that the cache does not have yet, or that lacks our label.
		have, err = services.Get(ctx, want.Name, metav1.GetOptions{})
	}
	switch {
	case err != nil:
		return ReasonNoService, err
	case !belongsTo(have, c):
		return ReasonForeign, fmt.Errorf("Service %s is there already, and is not of this channel", want.Name)
	}
	next := have.DeepCopy()
	next.Labels = withAll(next.Labels, want.Labels)
	next.OwnerReferences, next.Spec.Type, next.Spec.ExternalName = want.OwnerReferences, want.Spec.Type, want.Spec.ExternalName
	if len(have.Spec.Ports) != 1 || have.Spec.Ports[0].Port != want.Spec.Ports[0].Port || have.Spec.Ports[0].Name != want.Spec.Ports[0].Name {
		next.Spec.Ports = want.Spec.Ports
	}
	if equality.Semantic.DeepEqual(have, next) {
		return "", nil
	}
	_, err = services.Update(ctx, next, metav1.UpdateOptions{})
	return ReasonNoService, err
}

// belongsTo reports whether the Service is the Channel's, or that of a deleted one of its name, which Kubernetes is about to remove
// unless somebody takes it over.
func belongsTo(s *corev1.Service, c *v1alpha1.NatsJetStreamChannel) bool {
	owner := metav1.GetControllerOf(s)
	return owner != nil && owner.Kind == v1alpha1.Kind && owner.APIVersion == v1alpha1.SchemeGroupVersion.String() && owner.Name == c.Name
}

func withAll(labels, more map[string]string) map[string]string {
	if labels == nil {
		labels = map[string]string{}
	}
	for name, value := range more {
		labels[name] = value
	}
	return labels
}
