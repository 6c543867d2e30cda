package simulate

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// subscriberTimeout is how long the broker waits for an answer.
const subscriberTimeout = 20 * time.Second

// serve starts the hosts of a target: subscriber, dead letter sink, and for a Channel where its
// replies go. It returns what ends them.
func (w *world) serve(t *target) func() {
	var ends []func()
	for host, handler := range map[string]http.HandlerFunc{
		t.name:            func(out http.ResponseWriter, r *http.Request) { w.subscriber(t, out, r) },
		"dead-" + t.name:  w.mostly(t, buries),
		"reply-" + t.name: w.mostly(t, getReply),
	} {
		l := newListener()
		w.listen(host+":80", l)
		s := &http.Server{ReadHeaderTimeout: time.Hour, Handler: handler}
		go func() { _ = s.Serve(l) }()
		ends = append(ends, func() {
			// A bubble ends with all of its goroutines: whoever is slow to answer is waited for.
			slowest, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			_ = s.Shutdown(slowest)
			_ = s.Close()
		})
	}
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

// mostly is a host that takes what comes, or most of it.
func (w *world) mostly(t *target, what fate) http.HandlerFunc {
	return func(out http.ResponseWriter, r *http.Request) {
		q := newRequest(t, r)
		q.fate = what
		w.mu.Lock()
		if w.random.Float64() < t.sour {
			q.fate = refuses
		}
		w.mu.Unlock()
		if q.fate == refuses {
			out.WriteHeader(http.StatusServiceUnavailable)
		}
		id := r.Header.Get("Ce-Id")
		if what == getReply {
			_, id, _ = strings.Cut(id, " to ") // to the history of the event that it answers
		}
		w.history.got(id, q)
	}
}

func (w *world) subscriber(t *target, out http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("Ce-Id")
	q := newRequest(t, r)
	var slow time.Duration
	q.fate, slow = w.decide(t, r)
	pass(slow)
	if q.fate != refuses && (slow > subscriberTimeout || r.Context().Err() != nil) {
		q.fate = loses // nobody waits for it any more
	}
	if w.planted == "acknowledged before delivery" && id == "event-7" {
		return
	}
	w.history.got(id, q)
	switch q.fate {
	case refuses:
		out.WriteHeader(http.StatusServiceUnavailable)
	case halves:
		half := t.reply(id)
		writeEvent(out, half)
		out.Header().Set("Content-Length", "9")
		_, _ = out.Write([]byte("half"))
		_ = http.NewResponseController(out).Flush()
		panic(http.ErrAbortHandler) //nolint:forbidigo // how net/http breaks off an answer
	case loses:
		panic(http.ErrAbortHandler) //nolint:forbidigo // how net/http breaks off an answer
	case answers:
		w.answer(t, id, out)
	}
}

// decide what to do with a request, and how long that takes.
func (w *world) decide(t *target, r *http.Request) (what fate, slow time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fails, lost, replies := w.random.Float64() < t.fails, w.random.Float64() < t.loses, w.random.Float64() < t.replies
	half := w.random.Float64() < t.breaks
	if w.random.Float64() < t.hesitates {
		slow = []time.Duration{12 * time.Second, 18 * time.Second, 25 * time.Second}[w.random.IntN(3)]
	}
	switch {
	case fails || time.Now().Before(t.unavailable):
		return refuses, 0
	case lost:
		return loses, slow
	case half:
		return halves, slow
	case replies && r.Header.Get("Ce-Type") != replyKind:
		return answers, slow
	}
	return takes, slow
}

// answer is an event, always the same to the same event.
func (w *world) answer(t *target, id string, out http.ResponseWriter) {
	reply := t.reply(id)
	writeEvent(out, reply)
	if t.key.Address.Kind != route.KindBroker {
		return // it does not come into the log of a Channel
	}
	w.history.note(reply.ID(), func(r *record) {
		if r.posts == 0 {
			r.first = time.Now()
		}
		r.event, r.address, r.of, r.from = reply, t.key.Address, id, t.name
		r.posts++
	}, "%s answers with it to %s", t.name, id)
}

func (t *target) reply(id string) cloudevents.Event {
	reply := cloudevents.NewEvent()
	reply.SetID("reply of " + t.name + " to " + id)
	reply.SetSource("/simulate")
	reply.SetType(replyKind)
	return reply
}

func writeEvent(out http.ResponseWriter, e cloudevents.Event) {
	for name, value := range map[string]string{"Specversion": "1.0", "Id": e.ID(), "Source": e.Source(), "Type": e.Type()} {
		out.Header().Set("Ce-"+name, value)
	}
}

// newRequest notes a request that has come to a host of the target.
func newRequest(t *target, r *http.Request) request {
	q := request{target: t.name, host: r.Host, by: r.RemoteAddr, at: time.Now(), path: r.URL.Path, reason: r.Header.Get("Ce-Knativeerrordest") != ""}
	n, _ := io.Copy(io.Discard, r.Body)
	q.bytes = int(n)
	return q
}
