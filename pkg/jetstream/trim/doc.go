// Package trim removes from logs what every cursor has passed (I7).
//
// ReadLog asks the server for the state of a log and for all of its consumers; the lowest cursor is
// the floor. Once purges below the floor, unless a target lacks its consumer or the server did not
// show every consumer: then nothing is removed. Any number of processes may run a Trimmer.
//
// A Gauge counts what a process stores, and asks the trimmers for a trim when that is much, or when
// a log is full.
package trim
