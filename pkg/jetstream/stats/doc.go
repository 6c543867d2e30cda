// Package stats answers what a process has counted: an ingress of addresses, a filter of targets
// too. The numbers are asked for over core NATS and stored nowhere.
package stats
