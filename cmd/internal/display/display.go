// Package display is a subscriber that prints the events it gets, so that a newcomer sees an event arrive.
package display

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Prefix is where the handler expects to be mounted. "-" is no legal namespace, so it collides with no Broker's address.
const Prefix = "/-/display/"

const (
	// DefaultMaxData is the number of bytes of an event's data that are printed when Options says nothing.
	DefaultMaxData = 16 << 10
	// maxBody bounds the memory of one request: NATS carries at most 64 MiB, the envelope of structured mode adds a third.
	maxBody = 96 << 20
	maxName = 253
)

// Options say how a Handler prints. Out is required.
type Options struct {
	// Out gets one Write for each event, never two at a time.
	Out io.Writer
	// Quiet prints one line for each event: name, type and id.
	Quiet bool
	// MaxData bounds how many bytes of an event's data are printed; 0 means DefaultMaxData.
	MaxData int
}

// Handler prints each CloudEvent that is posted to Prefix and a name, and answers 204, or the status that the query names:
// `?status=503` makes a subscriber that fails, to try retries and dead letters. A request that is no CloudEvent gets 400 and a
// printed line. Safe for concurrent use.
type Handler struct {
	options Options
	// mu makes events come out one after another.
	mu sync.Mutex
}

// New returns a Handler that prints as the options say.
func New(options Options) *Handler {
	if options.MaxData <= 0 {
		options.MaxData = DefaultMaxData
	}
	return &Handler{options: options}
}

// ServeHTTP prints one event.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := nameOf(r.URL, Prefix)
	if !ok {
		http.Error(w, "the path of a display is "+Prefix+"{name}", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "events come by POST", http.StatusMethodNotAllowed)
		return
	}
	status, err := statusOf(r.URL)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e, err := read(w, r)
	if err != nil {
		h.refuse(w, name, err)
		return
	}
	if err := h.print(name, e, status); err != nil {
		// The sender is to try again: nobody has seen this event.
		http.Error(w, "the event could not be printed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
}

func (h *Handler) print(name string, e event.Event, status int) error {
	var out bytes.Buffer
	if h.options.Quiet {
		appendLine(&out, name, e)
	} else {
		title := "event for " + name
		if status != http.StatusNoContent {
			title += fmt.Sprintf(" (answered %d, as asked)", status)
		}
		appendEvent(&out, title, e, h.options.MaxData)
	}
	return h.write(out.Bytes())
}

func (h *Handler) refuse(w http.ResponseWriter, name string, reason error) {
	line := fmt.Sprintf("%s: refused: %s\n", name, Escape(reason.Error(), ""))
	// The answer tells the sender anyway, whether this line is seen or not.
	_ = h.write([]byte(line))
	status := refusalOf(reason)
	if status == http.StatusUnsupportedMediaType {
		w.Header().Set("Accept-Encoding", body.AcceptEncoding)
	}
	http.Error(w, reason.Error(), status)
}

// refusalOf is the status for a request that carries no event.
func refusalOf(reason error) int {
	_, tooLarge := errors.AsType[*http.MaxBytesError](reason)
	switch {
	case tooLarge, errors.Is(reason, body.ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(reason, body.ErrCoding):
		return http.StatusUnsupportedMediaType
	}
	return http.StatusBadRequest
}

// read decodes the request. The error is that of event.FromHTTP or body.Decode, or of reading the
// body.
func read(w http.ResponseWriter, r *http.Request) (event.Event, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return event.Event{}, err
	}
	if data, err = body.Decode(r.Header, data, body.Room{Limit: maxBody}); err != nil {
		return event.Event{}, err
	}
	return event.FromHTTP(r.Header, data)
}

func (h *Handler) write(text []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.options.Out.Write(text)
	return err
}

// nameOf returns what stands behind the prefix in the path. It holds nothing that a Kubernetes name could not hold.
func nameOf(u *url.URL, prefix string) (string, bool) {
	name, ok := strings.CutPrefix(u.Path, prefix)
	name = strings.TrimSuffix(name, "/")
	legal := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._", r)
	}
	illegal := strings.IndexFunc(name, func(r rune) bool { return !legal(r) }) >= 0
	return name, ok && name != "" && len(name) <= maxName && !illegal
}

// statusOf returns the status that the query asks for, 204 when it asks for none.
func statusOf(u *url.URL) (int, error) {
	if !u.Query().Has("status") {
		return http.StatusNoContent, nil
	}
	text := u.Query().Get("status")
	status, err := strconv.Atoi(text)
	if err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("query parameter status is %q, want a number from 200 to 599", text)
	}
	return status, nil
}
