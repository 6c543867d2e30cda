// Package buckets makes the buckets for routes, reports, positions and event types, and keeps their
// storage, replicas and reserves as wanted. Only owners of routes link it (I5); ingress and filter
// wait until the buckets are there.
//
// It also reads what the data plane writes for owners: event types and reports. The first value of
// a new reports bucket says whether reports may have been lost with the bucket before
// (ReportsStart): if so, nothing becomes ready before their processes have reported again or
// expired (I4).
package buckets
