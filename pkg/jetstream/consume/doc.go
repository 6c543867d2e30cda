// Package consume reads the consumers that the targets of a filter process need, and deals what
// package pull takes from them to the targets.
//
// # When a process may read
//
// Whoever reads a log acknowledges for all of its targets. So nothing is read unless the process
// knows every target that is ready anywhere (I3). The time in which that holds is the trust:
//
//		none ──Opener.TrustUntil──▶ live ──a record is written──▶ paused ──it is applied, or 1 s──▶ live
//		  ▲                          │
//		  └── its time is over, the connection is another one, the process leaves ──┘
//
//	  - none: sources ask for nothing; what still comes is given back.
//	  - live: each reader looks once in each period of trust whether its consumer is there, and whether
//	    the process knows each member that the consumer names; only then it reads.
//	  - paused: what has come waits until the record is applied.
//
// What happens when something fails:
//
//   - The process is cut off: the trust ends with its time, at the latest with the next connection.
//     Its messages come to others when their leases run out.
//   - A record is deleted by hand: the member is unknown here, and the log is not read until its owner
//     has written the record again.
//   - The consumer is gone: its sources hold off, and the target says why it is not served.
//   - The process is slow: it asks for no more than its budget of bytes (I10); the rest stays in NATS.
package consume
