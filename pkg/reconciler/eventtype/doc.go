// Package eventtype describes the types of events that ingress and filter have seen as EventType objects, where the feature
// eventtype-auto-create is on.
package eventtype
