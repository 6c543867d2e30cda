// Package audit compares the routes in NATS with the Brokers, Triggers and Channels in the Kubernetes API, in both directions: a route
// that is missing is made again by its reconciler, one whose resource is gone is ended here. It stands in for finalizers.
package audit
