// Package buckets makes the buckets for routes, reports, positions and event types, and makes each
// what it ought to be: its storage, its replicas, and the room that it has to itself. Only owners of
// routes link it (I5); ingress and filter wait until the buckets are there.
package buckets
