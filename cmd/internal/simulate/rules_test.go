package simulate

import (
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// TestTheCheckerJudges gives the checker short histories: one target that wants what is made, from
// second 0 on, and one event, of this kind, that is posted at second 10. Times are seconds.
func TestTheCheckerJudges(t *testing.T) {
	took := func(at int) request { return requestAt(at, takes) }
	changed := func(change func(*request), at int, what fate) request {
		q := requestAt(at, what)
		change(&q)
		return q
	}
	for _, test := range []struct {
		name     string
		kind     string
		requests []request
		versions []version
		faults   []*fault
		posts    int // besides the first
		// retry and delay are of the delivery spec, forbidden what the sender was told.
		retry, forbidden int
		delay            time.Duration
		want             string
	}{
		{name: "it is delivered", requests: []request{took(11)}},
		{name: "it is dead-lettered", requests: []request{requestAt(11, refuses), requestAt(12, buries)}},
		{name: "its answer is lost, and it comes again", requests: []request{requestAt(11, loses), took(12)}},
		{name: "its answer breaks off, and it comes again", requests: []request{requestAt(11, halves), took(12)}},
		{name: "its answer is lost, and it never comes again", requests: []request{requestAt(11, loses)}, want: "neither delivered"},
		{name: "its answer breaks off, and it never comes again", requests: []request{requestAt(11, halves)}, want: "neither delivered"},
		{name: "it never comes", want: "neither delivered"},
		{name: "it is refused, and never comes again", requests: []request{requestAt(11, refuses)}, want: "neither delivered"},
		{name: "it does not match", kind: "paid"},
		{name: "it does not match, and comes", kind: "paid", requests: []request{took(11)}, want: "does not match"},

		{name: "an edit to what does not match, before it came", versions: edited(exact("paid"), 5, 6)},
		{name: "and it comes all the same", versions: edited(exact("paid"), 5, 6), requests: []request{took(11)}, want: "does not match"},
		{name: "an edit that is not ready yet", versions: edited(exact("paid"), 5, 12), requests: []request{took(11)}},
		{name: "an edit that is begun after it came, by which it is not wanted", versions: edited(exact("paid"), 11, 12)},
		{name: "an edit that is ready, by which it is wanted", kind: "paid", versions: edited(exact("paid"), 5, 6), want: "neither delivered"},
		{name: "an edit that is not ready, by which it is wanted", kind: "paid", versions: edited(exact("paid"), 5, 12)},

		{name: "the target has ended", versions: ended(5, 6)},
		{name: "and it comes much later", versions: ended(5, 6), requests: []request{took(60)}, want: "after the target's end"},
		{name: "and it comes a little later", versions: ended(9, 11), requests: []request{took(12)}},
		{name: "and it comes late without a fault", versions: ended(9, 11), requests: []request{took(20)}, want: "after the target's end"},
		{name: "and it comes late of a process that was cut off", versions: ended(9, 11), requests: []request{took(20)}, faults: broken("filter-0", 8)},
		{name: "the target has ended and comes back", versions: append(ended(5, 6), between(12, 13)), want: "neither delivered"},
		{name: "and comes back after its grace period", versions: append(ended(5, 6), between(4000, 4001))},
		{name: "the target ends, and is made anew after its grace period, and it comes", versions: append(ended(12, 13), between(4000, 4001)), requests: []request{took(4005)}, want: "made anew"},
		{name: "the target ends, and is made again within its grace period, and it comes", versions: append(ended(12, 13), between(3000, 3001)), requests: []request{took(3005)}},
		{name: "its owner was away while the target was to be swept", versions: append(ended(12, 13), between(4000, 4001)), requests: []request{took(4005)}, faults: broken("owner-0", 3000)},

		{name: "it comes twice", requests: []request{took(11), took(12)}, want: "delivered 2 times"},
		{name: "it was sent twice", posts: 1, requests: []request{took(11), took(12)}},
		{name: "its process was cut off", requests: []request{took(11), took(12)}, faults: broken("filter-0", 11)},
		{name: "another process was cut off", requests: []request{took(11), took(12)}, faults: broken("filter-1", 11), want: "delivered 2 times"},
		{name: "its process was cut off before it came", requests: []request{took(11), took(12)}, faults: broken("filter-0", 2), want: "delivered 2 times"},
		{name: "its process was cut off after it was acknowledged", requests: []request{took(11), took(60)}, faults: broken("filter-0", 70), want: "delivered 2 times"},
		{name: "its process was cut off between the two", requests: []request{took(11), took(60)}, faults: broken("filter-0", 30), want: "delivered 2 times"},
		{name: "NATS was killed", requests: []request{took(11), took(12)}, faults: broken("", 11)},
		{name: "its consumer was deleted", requests: []request{took(11), took(30)}, faults: deleted(rewinds, 20)},
		{name: "its consumer was deleted long after", requests: []request{took(11), took(90)}, faults: deleted(rewinds, 80), want: "delivered 2 times"},

		{name: "it is given up too early", retry: 1, requests: []request{requestAt(11, refuses), requestAt(12, buries)}, want: "given up after 1 attempts"},
		{name: "it is tried too often", requests: []request{requestAt(11, refuses), requestAt(12, refuses), requestAt(13, buries)}, want: "tried 2 times"},
		{name: "its retry comes in time", retry: 1, delay: time.Second, requests: []request{requestAt(11, refuses), took(12)}},
		{name: "its retry comes too soon", retry: 1, delay: 2 * time.Second, requests: []request{requestAt(11, refuses), took(12)}, want: "attempt 2 came 1s after"},
		{name: "its process was cut off, and the retry comes too soon", retry: 1, delay: 2 * time.Second, requests: []request{requestAt(11, refuses), took(12)}, faults: broken("filter-0", 11)},

		{name: "a dead letter without a reason", requests: []request{requestAt(11, refuses), changed(func(q *request) { q.reason = false }, 12, buries)}, want: "does not say why"},
		{name: "it comes with other data", requests: []request{changed(func(q *request) { q.bytes = 3 }, 11, takes)}, want: "3 bytes"},
		{name: "it comes to where its target never was", requests: []request{changed(func(q *request) { q.path = "/9" }, 11, takes)}, want: "no more"},
		{name: "its sender was told not to send it again", requests: []request{took(11)}, forbidden: 413, want: "told by 413"},
		{name: "nobody has sent it", requests: []request{took(11)}, posts: -1, want: "nobody has sent it"},

		{name: "its log was deleted", faults: deleted(empties, 20)},
		{name: "its log was deleted before it came", faults: deleted(empties, 2), want: "neither delivered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := historyOf(test.kind, test.requests, test.versions, test.faults)
			c.history.events["e"].posts = max(0, test.posts+1)
			c.history.events["e"].forbidden = test.forbidden
			c.targets[0].retry, c.targets[0].delay = test.retry, test.delay
			v := c.check()
			got := strings.Join(v.broken, "\n")
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func second(s int) time.Time { return time.Date(2026, 1, 1, 0, 0, s, 0, time.UTC) }

func requestAt(s int, what fate) request {
	q := request{target: "t", host: "t", by: "filter-0", at: second(s), ended: second(s), fate: what}
	if what == buries {
		q.host, q.reason = "dead-t", true
	}
	return q
}

func between(begun, ready int) version { return readyAt(live(exact("made")), begun, ready) }

func readyAt(v version, begun, ready int) version {
	v.begun, v.ready = second(begun), second(ready)
	return v
}

func edited(to filter.Spec, begun, ready int) []version {
	return []version{between(0, 1), readyAt(live(to), begun, ready)}
}

func ended(begun, ready int) []version {
	return []version{between(0, 1), readyAt(version{ended: true}, begun, ready)}
}

func broken(who string, at int) []*fault {
	return []*fault{{what: "cut", who: who, begin: second(at), end: second(at + 2)}}
}

func deleted(what effect, at int) []*fault {
	return []*fault{{what: "deleted", who: byHand, effect: what, begin: second(at), end: second(at)}}
}

func historyOf(kind string, requests []request, versions []version, faults []*fault) *checker {
	e := cloudevents.NewEvent()
	e.SetID("e")
	e.SetSource("/simulate")
	e.SetType("made")
	if kind != "" {
		e.SetType(kind)
	}
	if versions == nil {
		versions = []version{between(0, 1)}
	}
	h := &history{began: second(0), faults: faults, events: map[string]*record{"e": {
		event: e, first: second(10), answered: second(10), accepted: true, requests: requests,
	}}}
	return &checker{history: h, targets: []*target{{name: "t", key: route.TargetKey{Name: "t"}, versions: versions}}, grace: time.Hour}
}
