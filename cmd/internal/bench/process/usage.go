package process

import "time"

// Usage is what a process has used since it started.
type Usage struct {
	CPU time.Duration
	// Resident and Peak are in bytes.
	Resident, Peak int64
}
