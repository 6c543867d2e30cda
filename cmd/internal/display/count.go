package display

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// CountPrefix is where a Counter expects to be mounted.
const CountPrefix = "/-/count/"

const (
	// maxCounters and maxCounted bound a Counter's memory: what is beyond is refused with 507.
	maxCounters = 100
	maxCounted  = 2_000_000
)

// Count is what a Counter knows of the events under one name.
type Count struct {
	// Requests counts deliveries, Events the different events among them, by source and id.
	Requests int `json:"requests"`
	Events   int `json:"events"`
	// First and Last are when the first and the last event came.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
}

// Counter is a subscriber that takes events as fast as they come and counts them: POST to CountPrefix and a name counts one,
// GET tells the Count, DELETE forgets it. A request that is no CloudEvent gets 400. It is for load tests: what was accepted and what arrived can be compared by number.
// Safe for concurrent use.
type Counter struct {
	mu    sync.Mutex
	names map[string]*counted
}

type counted struct {
	Count
	seen map[string]struct{}
}

// NewCounter returns a Counter that has seen nothing.
func NewCounter() *Counter { return &Counter{names: map[string]*counted{}} }

// ServeHTTP counts, tells or forgets.
func (c *Counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := nameOf(r.URL, CountPrefix)
	if !ok {
		http.Error(w, "the path of a counter is "+CountPrefix+"{name}", http.StatusNotFound)
		return
	}
	switch r.Method {
	case http.MethodPost:
		e, err := read(w, r)
		if err != nil {
			http.Error(w, err.Error(), refusalOf(err))
			return
		}
		w.WriteHeader(c.count(name, e.Attr(event.Source)+" "+e.Attr(event.ID)))
	case http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c.told(name)) // the client is gone: nobody is left to tell
	case http.MethodDelete:
		c.mu.Lock()
		delete(c.names, name)
		c.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (c *Counter) told(name string) Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n, ok := c.names[name]; ok {
		return n.Count
	}
	return Count{}
}

func (c *Counter) count(name, id string) (status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := c.names[name]
	if !ok {
		if len(c.names) >= maxCounters {
			return http.StatusInsufficientStorage
		}
		n = &counted{seen: map[string]struct{}{}}
		n.First = time.Now()
		c.names[name] = n
	}
	if len(n.seen) >= maxCounted {
		return http.StatusInsufficientStorage
	}
	n.seen[id] = struct{}{}
	n.Requests++
	n.Events = len(n.seen)
	n.Last = time.Now()
	return http.StatusNoContent
}
