// Package replykeys has the filter pods see at once when the keys of RequestReplies change.
//
// The keys are in a Secret that is mounted into the filter pods, which have no access to the Kubernetes API. A kubelet looks at the
// volumes of a pod when the pod changes, and else about once a minute. So the controller notes the version of the Secret in an
// annotation of each filter pod. It keeps nothing of the Secret but its metadata.
package replykeys
