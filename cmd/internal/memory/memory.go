// Package memory says how much memory a process of the data plane may use, and tunes the Go runtime for that.
package memory

import (
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// gcPercent is how much garbage there may be between two collections, in percent of what is in use. A process of the data plane uses
// little and makes much garbage: with Go's own 100 it would collect dozens of times a second, at a tenth of its CPU time.
const gcPercent = 400

// goShare of a control group's limit, in percent, is what the Go runtime may use: the rest is for what it does not count.
const goShare = 90

// Tune sets that for this process, unless GOGC says something else; and it has the garbage collected in time where the process's
// control group has a limit, unless GOMEMLIMIT says which.
func Tune() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	of := limits{goLimit: debug.SetMemoryLimit(-1), read: os.ReadFile}
	if limit := of.cgroup(); of.goLimit == math.MaxInt64 && limit != math.MaxInt64 {
		debug.SetMemoryLimit(limit / 100 * goShare)
	}
}

// Release gives back what the start of a process has needed: the next collection may be far away, and when little happens it
// does not come.
func Release() { debug.FreeOSMemory() }

const (
	// budgetShare is the part of its memory that a process may fill with events: half. The other half is for the process itself, for what
	// is copied on its way through the connections, and for garbage.
	budgetShare = 2
	// assumedLimit is the memory of a process that nothing limits.
	assumedLimit = 1 << 30
)

// Budget is the bytes of events that this process may hold at one time: half of its memory limit. That is GOMEMLIMIT, else the limit
// of its control group, else 1 GiB.
func Budget() int64 {
	return limits{goLimit: debug.SetMemoryLimit(-1), read: os.ReadFile}.budget()
}

// limits are where the limits of a process's memory stand.
type limits struct {
	// goLimit is GOMEMLIMIT; math.MaxInt64 when it is not set.
	goLimit int64
	// read reads a file of the kernel.
	read func(name string) ([]byte, error)
}

func (m limits) budget() int64 {
	limit := m.goLimit
	if limit == math.MaxInt64 {
		limit = m.cgroup()
	}
	if limit == math.MaxInt64 {
		limit = assumedLimit
	}
	return limit / budgetShare
}

// cgroup is the lowest limit of the process's control group and of those that it is in; math.MaxInt64 when there is none. A container
// sees its own group as the root. Lines of /proc/self/cgroup: man cgroups(7).
func (m limits) cgroup() int64 {
	limit := int64(math.MaxInt64)
	groups, _ := m.read("/proc/self/cgroup") // there are none outside of Linux
	for line := range strings.Lines(string(groups)) {
		number, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		var root, file string
		switch {
		case number == "0" && controllers == "":
			root, file = "/sys/fs/cgroup", "memory.max"
		case controllers == "memory":
			root, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for group = path.Join("/", group); ; group = path.Dir(group) {
			limit = min(limit, m.limitIn(path.Join(root, group, file)))
			if group == "/" {
				break
			}
		}
	}
	return limit
}

// noLimit is more than any machine has: version 1 writes 2^63 less a page for no limit, version 2 "max".
const noLimit = 1 << 60

func (m limits) limitIn(file string) int64 {
	text, err := m.read(file)
	if err != nil {
		return math.MaxInt64
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || limit <= 0 || limit > noLimit {
		return math.MaxInt64
	}
	return limit
}
