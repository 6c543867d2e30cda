// Package buckets makes the buckets for routes, reports, positions and event types, and makes each
// what it ought to be: its storage, its replicas, and the room that it has to itself. Only owners of
// routes link it (I5); ingress and filter wait until the buckets are there.
//
// It also reads what the data plane writes for owners: event types and reports. A reports bucket that
// is new says in its first value whether reports may have been lost with the former one
// (ReportsStart): while the processes may live that wrote those, nothing becomes ready (I4).
package buckets
