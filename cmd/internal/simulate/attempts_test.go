package simulate

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// What is promised of each request, and of how many there are and when.

// foreign: nothing comes that nobody has sent, and a sender is never told that an event is refused for good.
func (c *checker) foreign(r *record) string {
	switch {
	case r.forbidden != 0:
		return fmt.Sprintf("its sender was told by %d not to send it again", r.forbidden)
	case r.posts == 0:
		return "nobody has sent it"
	}
	return ""
}

// mayRepeat tells by the data plane spec whether a sender may send an event again that was answered so.
func mayRepeat(status int) bool {
	return status >= 500 || slices.Contains([]int{http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooManyRequests}, status)
}

// changed: what a host gets is the event as it was sent, at the path of a version that is in force,
// and a dead letter says why it comes.
func (c *checker) changed(r *record, t *target) string {
	for _, q := range r.at(t.name) {
		switch {
		case q.fate == buries && !q.reason:
			return "a dead letter does not say why it comes"
		case (q.fate == buries || q.host == t.name) && q.bytes != len(r.event.Data()):
			return fmt.Sprintf("it came with %d bytes of data, not with %d", q.bytes, len(r.event.Data()))
		case q.host == t.name && !slices.ContainsFunc(inForce(t, q.at, q.at), func(v version) bool { return v.path == q.path }):
			return "it came to " + q.path + ", where its target is no more"
		}
	}
	return ""
}

// attempts: an event that nothing happens to is tried as often as the delivery spec says, with its
// pauses, before it is a dead letter; and so is a Channel's reply.
func (c *checker) attempts(r *record, t *target) string {
	requests := slices.SortedFunc(slices.Values(r.at(t.name)), func(a, b request) int { return a.at.Compare(b.at) })
	if r.posts != 1 || len(requests) == 0 || c.untypical(r, requests, t) {
		return ""
	}
	var tries, replies []request
	buried := false
	for _, q := range requests {
		switch q.host {
		case t.name:
			tries = append(tries, q)
		case "reply-" + t.name:
			replies = append(replies, q)
		default:
			buried = buried || q.fate == buries
		}
	}
	answered := slices.ContainsFunc(tries, func(q request) bool { return q.fate == answers })
	switch {
	case !answered:
		return c.tries(t, tries, buried)
	case t.key.Address.Kind == route.KindChannel:
		return c.tries(t, replies, buried)
	}
	return "" // a reply that is not stored has the event delivered again, which counts for nothing
}

// tries judges the requests to one host.
func (c *checker) tries(t *target, requests []request, buried bool) string {
	failed := 0
	for i, q := range requests {
		if q.fate == takes || q.fate == answers || q.fate == getReply {
			continue
		}
		failed++
		if wait := t.delay << (failed - 1); i+1 < len(requests) && requests[i+1].at.Sub(q.at) < wait {
			return fmt.Sprintf("attempt %d came %s after the one before, and not after %s", failed+1, requests[i+1].at.Sub(q.at), wait)
		}
	}
	switch {
	case failed > t.retry+1:
		return fmt.Sprintf("it was tried %d times, where the delivery spec says %d", failed, t.retry+1)
	case buried && failed <= t.retry:
		return fmt.Sprintf("it was given up after %d attempts, where the delivery spec says %d", failed, t.retry+1)
	}
	return ""
}

// untypical tells whether a fault, or a change of the target, may have added to the requests, or taken from them.
func (c *checker) untypical(r *record, requests []request, t *target) bool {
	from, to := requests[0].at, requests[len(requests)-1].ended
	return c.disturbed(r.first, to) || slices.ContainsFunc(t.versions, func(v version) bool {
		return !v.begun.After(to) && (v.ready.IsZero() || !v.ready.Before(from))
	})
}
