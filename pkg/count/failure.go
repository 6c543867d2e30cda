package count

import (
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// KeptFailures is how many failures are kept of one address or target: the last ones.
	KeptFailures = 10
	// maxText bounds each text of a failure, in bytes: some comes from senders and subscribers.
	maxText = 200
)

// Failure is one refused request, or one failed attempt.
type Failure struct {
	At time.Time `json:"at"`
	// Code is the HTTP status; 0 where there was no answer.
	Code    int    `json:"code"`
	Message string `json:"message"`
	// Event is the id of the event; empty where that is not known.
	Event string `json:"event,omitempty"`
}

// failures are the last ones. They take no memory before the first.
type failures struct {
	mu   sync.Mutex
	kept []Failure
	// oldest is the place of the oldest one once KeptFailures are kept.
	oldest int
}

func (f *failures) add(failure Failure) {
	failure.At = time.Now().UTC()
	failure.Message, failure.Event = bounded(failure.Message), bounded(failure.Event)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.kept) < KeptFailures {
		f.kept = append(f.kept, failure)
		return
	}
	f.kept[f.oldest] = failure
	f.oldest = (f.oldest + 1) % KeptFailures
}

// newest returns so many failures at most, the newest first.
func (f *failures) newest(most int) []Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Concat(f.kept[f.oldest:], f.kept[:f.oldest])
	slices.Reverse(all)
	return all[:min(len(all), most)]
}

// bounded copies the text, so that a part of a large one does not keep the whole.
func bounded(text string) string {
	if len(text) > maxText {
		return strings.ToValidUTF8(text[:maxText], "") + "..."
	}
	return strings.Clone(text)
}
