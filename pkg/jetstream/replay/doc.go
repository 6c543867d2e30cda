// Package replay has one target get a slice of its log once more. It is for operators; no ingress and no
// filter links it.
//
// A replay is directed delivery: each event of the slice is parked for the target, as another run of
// the same work (I9), beside the events that come meanwhile. How far a replay has come is noted in a
// bucket after each batch, by compare-and-set, so that one which was interrupted or killed goes on
// there. The part of a batch that is stored already is the same work in the second attempt.
package replay
