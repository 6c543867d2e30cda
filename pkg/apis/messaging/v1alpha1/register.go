package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"knative.dev/eventing/pkg/apis/messaging"
)

// Kind is the kind of the Channel type.
const Kind = "NatsJetStreamChannel"

// SchemeGroupVersion is the group and version of these types.
var SchemeGroupVersion = schema.GroupVersion{Group: messaging.GroupName, Version: "v1alpha1"} //nolint:gochecknoglobals // a constant that Go has no form for; the generated client wants the name

// Resource qualifies a resource with the group.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}

// AddToScheme registers the types.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, &NatsJetStreamChannel{}, &NatsJetStreamChannelList{})
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
