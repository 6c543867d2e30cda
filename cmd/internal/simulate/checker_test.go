package simulate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What is promised, and what excuses that it is not kept. Everything is judged by the history
// alone.

const (
	// endHolds is how long after a target's record has ended a request may begin: as long as the
	// report of a filter process lives that was cut off from NATS (route.ReportTTL). Without a
	// fault it is endNoticed.
	endHolds   = route.ReportTTL + 5*time.Second
	endNoticed = 3 * time.Second
	// acknowledges is how long after the last outcome the acknowledgement may be on its way, or not
	// yet in NATS's store.
	acknowledges = 2 * time.Second
	// publishes is how long the broker tries to store a reply.
	publishes = 10 * time.Second
	// remembered is how old the place may be where a consumer is known to have stood: a sweep, and
	// what it takes.
	remembered = sweepEvery + 5*time.Second
	// sweeps is how long after its grace period nothing is left of a target that was removed.
	sweeps = 2*sweepEvery + 5*time.Second
)

type checker struct {
	history *history
	targets []*target
	grace   time.Duration
	// scarce says that logs fill up: then nothing is kept for a target that has ended.
	scarce bool
}

// verdict is what was promised and not kept, each with its history, and how often an event has come
// once more with an excuse.
type verdict struct {
	broken     []string
	duplicates map[string]int // by excuse
}

func (c *checker) check() verdict {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	v := verdict{duplicates: map[string]int{}}
	for id, r := range c.history.events {
		if what := c.foreign(r); what != "" {
			v.broken = append(v.broken, c.explainEvent(id, what))
		}
		for _, t := range c.targets {
			if t.key.Address != r.address {
				continue
			}
			for _, what := range []string{c.missing(r, t), c.unwanted(r, t), c.late(r, t), c.replyMissing(r, t), c.repeated(r, t, v.duplicates), c.changed(r, t), c.attempts(r, t)} {
				if what != "" {
					v.broken = append(v.broken, c.explain(id, t, what))
				}
			}
		}
	}
	slices.Sort(v.broken)
	return v
}

// missing: what was accepted for a target reaches the target, or its dead letter sink.
func (c *checker) missing(r *record, t *target) string {
	if slices.ContainsFunc(r.at(t.name), request.done) || !c.owed(r, t) {
		return ""
	}
	return "accepted, and neither delivered nor dead-lettered"
}

// settled tells whether nothing is missing any more.
func (c *checker) settled() bool {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	for _, r := range c.history.events {
		for _, t := range c.targets {
			if t.key.Address == r.address && (c.missing(r, t) != "" || c.replyMissing(r, t) != "") {
				return false
			}
		}
	}
	return true
}

// owed tells whether the target has to get the event. It has if it was ready for the event before
// the event came, and every version since then wants the event: an edit holds for what waits, too.
// A target that was removed has to get what came meanwhile if it comes back within its grace
// period.
func (c *checker) owed(r *record, t *target) bool {
	if !c.accepted(r) || c.emptied(r) {
		return false
	}
	since := -1
	for i, v := range t.versions {
		if !v.ready.IsZero() && !v.ready.After(r.first) {
			since = i
		}
	}
	for since > 0 && (t.versions[since].ended || t.versions[since].ready.IsZero()) {
		since--
	}
	if since < 0 || t.versions[since].ended || t.versions[since].ready.IsZero() || t.versions[len(t.versions)-1].ended {
		return false
	}
	for i, v := range t.versions[since:] {
		switch {
		case v.ended:
			next := t.versions[since+i+1]
			if c.scarce || next.ready.IsZero() || next.ready.Sub(v.begun) > c.grace-remembered || c.forgotten(v.begun, next.ready) {
				return false
			}
		case !v.wants(r.event):
			return false
		}
	}
	return true
}

// forgotten tells whether the mark that a target has ended may have been deleted by hand: then
// nobody knows that it may come back.
func (c *checker) forgotten(from, to time.Time) bool {
	return slices.ContainsFunc(c.history.faults, func(f *fault) bool { return f.who == byHand && f.overlaps(from, to) })
}

// accepted tells whether the broker has to keep the event. It has to keep a reply when the last
// that the target did with the event was to answer with the reply, and the event is one that the
// target has to get.
func (c *checker) accepted(r *record) bool {
	if r.of == "" {
		return r.accepted
	}
	of := c.history.events[r.of]
	if of == nil || c.emptied(of) {
		return false
	}
	for _, t := range c.targets {
		if t.name == r.from {
			requests := of.at(t.name)
			return c.owed(of, t) && requests[len(requests)-1].fate == answers
		}
	}
	return false
}

// emptied tells whether the event may have been in a log that was deleted.
func (c *checker) emptied(r *record) bool {
	for _, f := range c.history.faults {
		came := r.answered
		if came.IsZero() {
			came = r.first
		}
		if f.effect == empties && f.address == r.address && came.Before(f.end.Add(time.Second)) {
			return true
		}
	}
	return false
}

// unwanted: nobody gets what no version of the target wants that may have been in force since the
// event came.
func (c *checker) unwanted(r *record, t *target) string {
	for _, q := range r.at(t.name) {
		if !r.answered.IsZero() && r.answered.Before(t.versions[0].begun) && !c.rewound(t) {
			return "it got what was accepted before it was there"
		}
		if c.before(r, t, q) {
			return "it got what was accepted before its target was made anew"
		}
		if !slices.ContainsFunc(inForce(t, r.first, q.at), func(v version) bool { return v.wants(r.event) }) {
			return "it got what does not match"
		}
	}
	return ""
}

// before tells whether the request came to a target that was made when nothing was left of the one before it, which was removed,
// and the event was accepted before that.
func (c *checker) before(r *record, t *target, q request) bool {
	for i, v := range t.versions[1:] {
		gone := t.versions[i]
		if gone.ended && !gone.ready.IsZero() && v.begun.Sub(gone.ready) > c.grace+sweeps && !c.disturbed(gone.begun, v.ready) &&
			!r.answered.IsZero() && r.answered.Before(v.begun) && !q.at.Before(v.begun) {
			return true
		}
	}
	return false
}

// rewound tells whether a target was made while its consumer was gone. Then nobody can tell a new
// one from one that was there: it gets what the consumer has not passed.
func (c *checker) rewound(t *target) bool {
	return slices.ContainsFunc(c.history.faults, func(f *fault) bool {
		return f.effect == rewinds && f.address == t.key.Address && f.begin.Before(t.versions[0].ready) && t.versions[0].begun.Before(f.end.Add(2*sweepEvery))
	})
}

// inForce returns the versions that a filter process may have used between the two times.
func inForce(t *target, from, to time.Time) (versions []version) {
	for i, v := range t.versions {
		ends := to
		for _, next := range t.versions[i+1:] {
			holds := next.ready
			if next.ended && !holds.IsZero() {
				holds = holds.Add(endHolds)
			}
			if !holds.IsZero() && holds.Before(ends) {
				ends = holds
			}
		}
		if !v.begun.After(to) && !ends.Before(from) {
			versions = append(versions, v)
		}
	}
	return versions
}

// late: no request begins after the target has ended.
func (c *checker) late(r *record, t *target) string {
	for _, q := range r.at(t.name) {
		for i, v := range t.versions {
			if !v.ended || v.ready.IsZero() || i+1 < len(t.versions) && !q.at.Before(t.versions[i+1].begun) {
				continue
			}
			within := endNoticed
			if c.disturbed(v.begun.Add(-endHolds), q.at) {
				within = endHolds
			}
			if q.at.After(v.ready.Add(within)) {
				return "a request began after the target's end"
			}
		}
	}
	return ""
}

func (c *checker) disturbed(from, to time.Time) bool {
	return slices.ContainsFunc(c.history.faults, func(f *fault) bool { return f.overlaps(from, to) })
}

func (f *fault) overlaps(from, to time.Time) bool { return !f.begin.After(to) && !f.end.Before(from) }

// replyMissing: a Channel's reply reaches where replies go, or the event is a dead letter, when the
// last that its target did with the event was to answer with the reply.
func (c *checker) replyMissing(r *record, t *target) string {
	requests := r.at(t.name)
	last := lastOf(requests, answers)
	if t.key.Address.Kind != route.KindChannel || last < 0 || !c.owed(r, t) {
		return ""
	}
	for _, q := range requests[last:] {
		if q.fate != answers && (q.settles() || q.fate == getReply) {
			return ""
		}
	}
	return "the reply to it has not come"
}

func lastOf(requests []request, what fate) int {
	for i := len(requests) - 1; i >= 0; i-- {
		if requests[i].fate == what {
			return i
		}
	}
	return -1
}

// repeated: an event settles once, and a reply to it comes once, unless something happened to this
// very event.
func (c *checker) repeated(r *record, t *target, excused map[string]int) string {
	settled, replies, answered := 0, 0, false
	for _, q := range r.at(t.name) {
		switch {
		case q.fate == buries && answered: // the reply was given up, and the event with it
			answered = false
		case q.settles():
			settled++
			answered = q.fate == answers && t.key.Address.Kind == route.KindChannel
		case q.fate == getReply:
			replies++
		}
	}
	if settled < 2 && replies < 2 {
		return ""
	}
	why := c.excuse(r, t)
	if why == "" {
		return fmt.Sprintf("delivered %d times, with %d replies, and nothing that happened to it explains why", settled, replies)
	}
	excused[why] += max(settled, replies) - 1
	return ""
}

// excuse is why the target may have got the event more than once; "" when there is no reason.
func (c *checker) excuse(r *record, t *target) string {
	if r.posts > 1 {
		return "sent again"
	}
	by := map[string]bool{}
	for _, q := range r.requests {
		if q.target == t.name && (q.fate == loses || q.fate == halves) {
			return "answer lost"
		}
		if q.target == t.name && q.fate == answers && c.unstored(r.address, q.ended) {
			return "no room for the reply"
		}
		by[q.by] = true
	}
	from, to := c.atWork(r)
	for _, f := range c.history.faults {
		if (f.who == "" || by[f.who]) && f.effect == breaks && f.overlaps(from, to) {
			return f.what
		}
		if f.effect == rewinds && f.address == r.address && c.behind(r, f) {
			return f.what
		}
	}
	return ""
}

// unstored tells whether the log may have been full, or gone, when a reply came: then the event is
// delivered again.
func (c *checker) unstored(address route.Key, at time.Time) bool {
	return c.scarce || slices.ContainsFunc(c.history.faults, func(f *fault) bool {
		return f.effect == empties && f.address == address &&
			f.begin.Before(at.Add(publishes)) && at.Before(f.end.Add(2*sweepEvery+publishes))
	})
}

// atWork returns the time from when the event came, as it may wait in a process for its turn, until
// the message is acknowledged: after that it is nobody's any more.
func (c *checker) atWork(r *record) (from, to time.Time) {
	from = r.first
	for _, t := range c.targets {
		requests := r.at(t.name)
		if len(requests) == 0 {
			continue
		}
		last := requests[len(requests)-1]
		if i := slices.IndexFunc(requests, request.settles); i >= 0 {
			last = requests[i]
		}
		if last.ended.After(to) {
			to = last.ended
		}
	}
	return from, to.Add(acknowledges)
}

// behind tells whether the event may lie behind the place from which a consumer reads again: that
// is in front of the oldest event that was not settled when the place was remembered.
func (c *checker) behind(r *record, f *fault) bool {
	known := f.begin.Add(-remembered)
	for _, other := range c.history.faults { // nothing is remembered while the owner, or NATS, is away
		if !strings.HasPrefix(other.who, "filter") && other.effect == breaks && other.overlaps(known, f.begin) && other.begin.Before(f.begin) {
			known = minTime(known, other.begin.Add(-remembered))
		}
	}
	oldest := known
	for _, other := range c.history.events {
		if other.address == r.address && !other.first.After(known) && c.open(other, known) {
			oldest = minTime(oldest, other.first)
		}
	}
	stored := r.answered
	if stored.IsZero() { // a reply
		stored = r.first.Add(publishes)
	}
	return !stored.Before(oldest)
}

// open tells whether an event that went to somebody was not settled for all of them at the time.
func (c *checker) open(r *record, at time.Time) bool {
	for _, t := range c.targets {
		requests := r.at(t.name)
		first := slices.IndexFunc(requests, request.settles)
		if len(requests) > 0 && (first < 0 || requests[first].ended.After(at)) {
			return true
		}
	}
	return false
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
