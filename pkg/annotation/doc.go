// Package annotation pauses and resumes resources in a Kubernetes cluster: by the annotation that says
// so, with the rights of the user whose kubeconfig it is. The controller does the rest.
package annotation
