// Package consume reads the consumers that the targets of a filter process need, and deals what
// package pull takes from them to the targets.
//
// # When a process may read
//
// A process that reads a log acknowledges for all of its targets. So it reads only while it knows
// every target that is ready anywhere (I3). The time in which that holds is the trust:
//
//		none ──Opener.TrustUntil──▶ live ──a record is written──▶ paused ──it is applied, or 1 s──▶ live
//		  ▲                          │
//		  └── its time is over, the connection is another one, the process leaves ──┘
//
//	  - none: sources ask for nothing; messages that still come are given back.
//	  - live: each reader checks once in each period of trust that its consumer exists, and that the
//	    process knows each member that the consumer lists; only then it reads.
//	  - paused: messages that have come wait until the record is applied.
//
// What happens when something fails:
//
//   - The process is cut off: the trust ends with its time, at the latest with the next connection.
//     Its messages come to other processes when their leases run out.
//   - A record is deleted by hand: the member is unknown here, and the log is not read until its owner
//     has written the record again.
//   - The consumer is gone: its sources hold off, and the target says why it is not served.
//   - The process is slow: it asks for no more than its budget of bytes (I10); the rest stays in NATS.
package consume
