package simulate

import (
	"fmt"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// fate is what a host does with a request.
type fate string

const (
	refuses  fate = "answers 503"
	takes    fate = "takes it"
	answers  fate = "takes it, and answers with an event"
	loses    fate = "has it, but its answer is lost"
	halves   fate = "has it, but its answer breaks off"
	buries   fate = "has the dead letter"
	getReply fate = "has the reply"
)

// request is one that a host has got.
type request struct {
	target    string
	host      string // its subscriber's, or that of its dead letters or replies
	by        string // process
	at, ended time.Time
	fate      fate
	path      string
	bytes     int // of data
	// reason tells whether it said why the event is a dead letter.
	reason bool
}

// settles tells whether the event has reached the target, or its dead letter sink.
func (r request) settles() bool { return r.fate != refuses && r.fate != getReply }

// done tells whether the broker has been told so.
func (r request) done() bool { return r.settles() && r.fate != loses && r.fate != halves }

// record is what has become of one event.
type record struct {
	event   cloudevents.Event
	address route.Key
	// posts is how often it was sent, first when that was first done, answered when it was
	// accepted, if it was posted. accepted is that the broker has to keep it.
	posts           int
	first, answered time.Time
	accepted        bool
	statuses        map[int]int // that the sender was told
	// forbidden is the status by which the sender was told not to send the event again.
	forbidden int
	// of and from are those of a reply: the event that it answers, and the target that did so.
	of, from string
	requests []request
	lines    []string
}

func (r *record) at(target string) (found []request) {
	for _, q := range r.requests {
		if q.target == target {
			found = append(found, q)
		}
	}
	return found
}

// effect is what a fault may do to events.
type effect int

const (
	// breaks: what a process or NATS is at, may be done again.
	breaks effect = iota
	// rewinds: a consumer begins again where it was known to stand.
	rewinds
	// empties: what a log has held is gone.
	empties
)

// fault is something that was done to the broker. It lasts until the process has connected again.
type fault struct {
	what       string
	who        string // process; "" for NATS and what is in it
	effect     effect
	address    route.Key // whose consumer or log it is
	begin, end time.Time
}

// history is what happened to every event. Safe for concurrent use.
type history struct {
	began time.Time

	mu     sync.Mutex
	events map[string]*record
	faults []*fault
}

func newHistory() *history { return &history{began: time.Now(), events: map[string]*record{}} }

// note appends a line to the history of an event.
func (h *history) note(id string, change func(*record), format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.events[id]
	if r == nil {
		r = &record{}
		h.events[id] = r
	}
	change(r)
	r.lines = append(r.lines, h.line(time.Now(), format, args...))
}

func (h *history) line(at time.Time, format string, args ...any) string {
	return fmt.Sprintf("%12s %s", at.Sub(h.began).Round(time.Microsecond), fmt.Sprintf(format, args...))
}

// got notes a request that has been answered, or not.
func (h *history) got(id string, q request) {
	q.ended = time.Now()
	took := ""
	if q.ended.Sub(q.at) > time.Millisecond {
		took = fmt.Sprintf(", which came at %s", q.at.Sub(h.began).Round(time.Microsecond))
	}
	h.note(id, func(r *record) { r.requests = append(r.requests, q) }, "%s %s, of %s%s", q.host, q.fate, q.by, took)
}

// begin notes a fault, which goes on until end.
func (h *history) begin(f fault) *fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.begin = time.Now()
	h.faults = append(h.faults, &f)
	return &f
}

// recovery is how long after a fault the process may need to connect again.
const recovery = 5 * time.Second

func (h *history) end(f *fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.end = time.Now()
	if f.effect == breaks {
		f.end = f.end.Add(recovery)
	}
}
