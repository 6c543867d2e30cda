// Package migrate moves the undelivered events of knative-extensions/eventing-natss to the targets
// that have come in place of its Triggers and Subscriptions.
package migrate
