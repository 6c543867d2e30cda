// Package routes reads and watches what owners of routes have written for the data plane, and
// writes what the processes of the data plane answer:
//
//   - routes: one record for each address and each target, tombstones included. Owners write them,
//     every process keeps its table equal to them (Watch).
//   - reports: one value for each live process, which says what it has applied. A report expires
//     unless its process writes it again (Reporter).
//   - positions: where cursors stood. The data plane only checks whether a position is stored.
//   - event types: what ingress and filter have seen, for an owner that describes them.
//
// A read that decides something goes to the leader of the bucket (I11). Package buckets makes the
// buckets and reads reports and event types, package owner writes routes and positions.
package routes
