// Package v1alpha1 is the Kubernetes API of the Channel type NatsJetStreamChannel.
//
// Its fields are those that eventing-natss gave the kind, so that manifests which exist apply as they are. Each says what it
// does here; those that do nothing are listed in ignored.go with the reason, and in the status of a channel that sets them.
//
// +k8s:deepcopy-gen=package
// +groupName=messaging.knative.dev
package v1alpha1
