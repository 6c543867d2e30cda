package annotation

import "errors"

var (
	// ErrSubscription means that a Subscription in a cluster was named.
	ErrSubscription = errors.New("in a cluster, Knative hands no annotation of a Subscription on: pause its Channel")
	// ErrForeign means that a resource is, or belongs to, a Broker of another class.
	ErrForeign = errors.New("it is served by another broker")
	// ErrStaysPaused means that something else than the resource's own annotation pauses it.
	ErrStaysPaused = errors.New("it stays paused")
)
