package handles

import "errors"

var (
	// ErrNotFound means that no live route has the kind and name that were asked for.
	ErrNotFound = errors.New("not found")
	// ErrOfCluster means that the route is made from a resource in a cluster, where an annotation says what is wanted.
	ErrOfCluster = errors.New("it is a resource in a Kubernetes cluster, where its annotation says whether it is paused")
)
