// Package readiness tells reconcilers what the live ingress and filter processes have applied, and calls them when that
// changes. Readiness is never assumed: it follows the reports, and while NATS is away it stays as it was last known.
package readiness
