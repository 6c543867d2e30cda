// Package compile turns Knative's Broker and Trigger, and its Channels and their subscribers, into the routes that the data plane reads. It is a set of pure functions:
// the resources must have their defaults (upstream's SetDefaults) when they come in.
//
// Every error holds an *apis.FieldError with the path of each offending field, in the form that upstream's Validate uses:
// a webhook can return it as it is, and a file reader can find the line. Everything wrong with a resource is reported at once.
package compile
