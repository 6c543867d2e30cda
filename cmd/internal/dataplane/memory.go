package dataplane

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much garbage there may be between two collections, in percent of what is in use. A process of the data plane uses
// little and makes much garbage: with Go's own 100 it would collect dozens of times a second, at a tenth of its CPU time.
const gcPercent = 400

// TuneMemory sets that for this process, unless GOGC says something else. GOMEMLIMIT bounds the memory, as ever.
func TuneMemory() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
}

// releaseMemory gives back what the start of a process has needed: the next collection may be far away, and when little happens it
// does not come.
func releaseMemory() { debug.FreeOSMemory() }
