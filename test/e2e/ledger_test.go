package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
)

// ledger knows which events were accepted when, and which Trigger was ready when for which of them.
type ledger struct {
	got *arrivals

	mu      sync.Mutex
	events  []acceptedEvent // by the time of their acceptance
	windows []*window
}

type acceptedEvent struct {
	id, eventType   string
	begun, accepted time.Time
}

// window is the time in which a Trigger was ready, and nothing of it was changed.
type window struct {
	edited
	opened, closed time.Time // closed is zero until it is
	// first is how many events were accepted before.
	first int
}

func (l *ledger) open(e edited) *window {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &window{edited: e, opened: time.Now(), first: len(l.events)}
	l.windows = append(l.windows, w)
	return w
}

func (l *ledger) close(w *window) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.closed = time.Now()
}

// count tells how many events belong to the window, and how many of those have not come.
func (l *ledger) count(w *window) (owed, missing int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events[w.first:] {
		if !w.closed.IsZero() && e.accepted.After(w.closed) {
			break
		}
		if e.eventType != w.eventType || e.begun.Before(w.opened) {
			continue
		}
		owed++
		if !l.got.has(w.name, e.id, w.generation) {
			missing++
		}
	}
	return owed, missing
}

// owes reports whether something has not come that a Trigger of this name was ever owed.
func (l *ledger) owes(name string) bool {
	l.mu.Lock()
	windows := l.windows
	l.mu.Unlock()
	return slices.ContainsFunc(windows, func(w *window) bool {
		_, missing := l.count(w)
		return w.name == name && missing > 0
	})
}

// settled is how many deliveries are owed, with an error that tells how many of them are missing, and of which windows.
func (l *ledger) settled() (owed int, err error) {
	l.mu.Lock()
	windows := l.windows
	l.mu.Unlock()
	lost, from := 0, ""
	for _, w := range windows {
		n, missing := l.count(w)
		owed, lost = owed+n, lost+missing
		if missing > 0 {
			from += fmt.Sprintf("\n%d of %d of %s, generation %d of %s, from %s to %s", missing, n, w.eventType, w.generation, w.name,
				w.opened.Format(time.StampMilli), w.closed.Format(time.StampMilli))
		}
	}
	if lost > 0 {
		return owed, fmt.Errorf("%d of %d are lost:%s", lost, owed, from)
	}
	return owed, nil
}

// send posts events of all types until ctx ends, waits for the last answers, and returns how many it has posted. What is not accepted
// is not sent again.
func (l *ledger) send(ctx context.Context, url string) (sent int) {
	transport := &http.Transport{MaxIdleConnsPerHost: partitionRate}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	tick := time.NewTicker(time.Second / partitionRate)
	defer tick.Stop()
	var posting sync.WaitGroup
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			posting.Wait()
			return sent
		}
		n := sent
		sent++
		posting.Go(func() { l.post(client, url, n) })
	}
}

func (l *ledger) post(client *http.Client, url string, n int) {
	e := acceptedEvent{id: fmt.Sprint("event-", n), eventType: eventTypeOf(n), begun: time.Now()}
	// It goes on when the sending ends; the client has a timeout.
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		return
	}
	request.Header = event(e.eventType, e.id)
	response, err := client.Do(request)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.accepted = time.Now()
	l.events = append(l.events, e)
}

// statuses asks for all Triggers at once which of them are ready.
type statuses struct {
	client *jetstream.Client

	mu    sync.Mutex
	asked time.Time // when the latest answer was asked for
	ready map[string]bool
}

func (s *statuses) follow(ctx context.Context) {
	for wait(ctx, 100*time.Millisecond) {
		asked := time.Now()
		all, err := status.Read(ctx, s.client)
		if err != nil {
			continue
		}
		ready := map[string]bool{}
		for _, t := range all.Targets {
			ready[t.Key.Name] = t.Ready
		}
		s.mu.Lock()
		s.asked, s.ready = asked, ready
		s.mu.Unlock()
	}
}

// untilReady waits until the Trigger, as it is at this moment, is ready; false when ctx ends before.
func (s *statuses) untilReady(ctx context.Context, name string) bool {
	for now := time.Now(); ; {
		s.mu.Lock()
		ready := s.asked.After(now) && s.ready[name]
		s.mu.Unlock()
		if ready {
			return true
		}
		if !wait(ctx, 20*time.Millisecond) {
			return false
		}
	}
}
