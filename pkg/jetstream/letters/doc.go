// Package letters shows, retries, removes and exports dead letters: what lies in the dead-letter
// streams of addresses. It is for operators; no ingress and no filter links it.
//
// A retry is directed delivery: the event is parked for the target that could not get the event, as
// the next run of the same work. A second retry of one letter is the same work, which NATS drops or
// puts in the place of the first (I9).
package letters
