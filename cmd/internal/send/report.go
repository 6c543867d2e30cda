package send

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Report is what became of the events of one run.
type Report struct {
	// Asked is the number of events that were to be sent, Sent of those that were posted: fewer when the run was interrupted.
	Asked, Sent, Accepted int
	// Refused counts events by the status of their last answer; 0 stands for no answer at all.
	Refused map[int]int
	// Retries counts the requests that were repeated.
	Retries  int
	Duration time.Duration
	// P50 and P99 are quantiles of the time from when a request was due to its last answer, to three digits.
	P50, P99 time.Duration
	// First is the first refusal; nil when there was none.
	First *Refusal
}

// Refusal is an answer other than 2xx, or none.
type Refusal struct {
	// Status is 0 when there was no answer; Err says why.
	Status int
	// Body is the head of the answer.
	Body string
	Err  error
}

// String returns the refusal in one line without control characters.
func (r Refusal) String() string {
	if r.Status == 0 {
		return fmt.Sprintf("no answer: %v", r.Err)
	}
	text := strconv.Itoa(r.Status) + " " + http.StatusText(r.Status)
	if body := printable(r.Body); body != "" {
		text += ": " + body
	}
	return text
}

// String returns the report in one line.
func (r Report) String() string {
	var line strings.Builder
	fmt.Fprintf(&line, "sent %d, accepted %d, refused %d", r.Sent, r.Accepted, r.refused())
	if len(r.Refused) > 0 {
		parts := make([]string, 0, len(r.Refused))
		for _, status := range slices.Sorted(maps.Keys(r.Refused)) {
			name := "no answer"
			if status != 0 {
				name = strconv.Itoa(status)
			}
			parts = append(parts, fmt.Sprintf("%s: %d", name, r.Refused[status]))
		}
		line.WriteString(" (" + strings.Join(parts, ", ") + ")")
	}
	if r.Retries > 0 {
		fmt.Fprintf(&line, ", retries %d", r.Retries)
	}
	rate := 0.0
	if r.Duration > 0 {
		rate = float64(r.Accepted) / r.Duration.Seconds()
	}
	fmt.Fprintf(&line, ", %s, %.0f/s, p50 %s, p99 %s", short(r.Duration), rate, short(r.P50), short(r.P99))
	return line.String()
}

// Err returns nil when every event was accepted, and otherwise an error that is ErrNotAccepted and quotes the first refusal.
func (r Report) Err() error {
	if r.Accepted == r.Asked {
		return nil
	}
	err := fmt.Errorf("%w: %d of %d", ErrNotAccepted, r.Accepted, r.Asked)
	if r.First != nil {
		err = fmt.Errorf("%w; first refusal: %s", err, r.First)
	}
	return err
}

func (r Report) refused() int {
	total := 0
	for _, n := range r.Refused {
		total += n
	}
	return total
}

// short rounds a duration to three digits.
func short(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// printable returns the text as one line that does nothing to a terminal.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	return strings.Join(strings.Fields(text), " ")
}
