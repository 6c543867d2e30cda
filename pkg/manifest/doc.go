// Package manifest reads Brokers and Triggers, Channels and Subscriptions, from files and follows the files' changes, for the laptop and for machines
// without Kubernetes. The files are what kubectl apply takes: upstream's own types, defaults and validation.
//
// Reading is strict, since there is no API server to ask: whatever would have no effect is an error with its file and line.
package manifest
