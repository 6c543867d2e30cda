package workload

import (
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// idDigits keeps all ids of a run equally long, so that every event has the same size.
const idDigits = 13

// AppendID appends the id of event number i of a run. It carries when the event was due, since the run began, so that whoever
// gets it can tell its latency and needs to remember nothing for it.
func AppendID(to []byte, run string, i int, due time.Duration) []byte {
	to = append(to, run...)
	to = appendPadded(append(to, '.'), int64(i))
	return appendPadded(append(to, '.'), int64(due))
}

func appendPadded(to []byte, n int64) []byte {
	var digits [20]byte
	number := strconv.AppendInt(digits[:0], n, 10)
	for range idDigits - len(number) {
		to = append(to, '0')
	}
	return append(to, number...)
}

// ParseID reads the id of an event of this run; ok is false for any other.
func ParseID(id, run string) (i int, due time.Duration, ok bool) {
	rest, ours := strings.CutPrefix(id, run+".")
	number, dueText, two := strings.Cut(rest, ".")
	if !ours || !two {
		return 0, 0, false
	}
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 {
		return 0, 0, false
	}
	nanoseconds, err := strconv.ParseInt(dueText, 10, 64)
	return i, time.Duration(nanoseconds), err == nil && nanoseconds >= 0
}
