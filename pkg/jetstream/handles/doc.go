// Package handles pauses and resumes targets where no Kubernetes says what is wanted. It is for
// operators; no ingress, no filter and no controller links it.
//
// A handle is what an operator wants of one address or target. It stands in a bucket of its own,
// beside the routes, under the key of the route that it is about: files and handles are two sources,
// and neither overwrites the other. The owner of a route merges both when it writes the route; an
// annotation goes first. A handle ends by Resume, or with what it is about, after the grace period.
package handles
