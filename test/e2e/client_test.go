package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// call is one request to the ingress. The zero method is POST, the zero client speaks HTTP/1.1.
type call struct {
	client *http.Client
	method string
	url    string
	host   string // in the header Host, if it is another than the URL's
	header http.Header
	body   io.Reader
}

// answered is what came of a call.
type answered struct {
	status, proto int
	header        http.Header
	body          string
}

func (c call) do(t *testing.T) answered {
	t.Helper()
	a, err := c.try(t)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (c call) try(t *testing.T) (answered, error) {
	if c.client == nil {
		c.client = http.DefaultClient
	}
	if c.method == "" {
		c.method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), c.method, c.url, c.body)
	if err != nil {
		return answered{}, err
	}
	if c.host != "" {
		request.Host = c.host
	}
	for name, values := range c.header {
		request.Header[name] = values
	}
	response, err := c.client.Do(request)
	if err != nil {
		return answered{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answered{status: response.StatusCode, proto: response.ProtoMajor, header: response.Header, body: string(body)}, err
}

// h2c returns a client that speaks HTTP/2 without TLS and nothing else.
func h2c(t *testing.T) *http.Client {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// headers makes a header of pairs of name and value; a name may come more than once.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// event is the header of an event in the binary mode, with more pairs of name and value, which replace those of the same name.
func event(eventType, id string, more ...string) http.Header {
	h := headers("ce-specversion", "1.0", "ce-type", eventType, "ce-source", "/e2e", "ce-id", id, "content-type", "application/json")
	for name, values := range headers(more...) {
		h[name] = values
	}
	return h
}

// without takes a header away.
func without(h http.Header, name string) http.Header {
	h.Del(name)
	return h
}

// url is the address of a path of the laptop's listener.
func (l *laptop) url(path string) string { return "http://" + l.listen + path }

// accepts posts an event to the path, and wants 202.
func (l *laptop) accepts(t *testing.T, path string, header http.Header, body []byte) {
	t.Helper()
	if got := (call{url: l.url(path), header: header, body: bytes.NewReader(body)}).do(t); got.status != http.StatusAccepted {
		t.Fatalf("POST %s: status %d, want 202: %s", path, got.status, got.body)
	}
}

// brokerRow and triggerRow are what kn-jetstream get shows as JSON, as far as the tests look at it.
type brokerRow struct {
	Key         struct{ Namespace, Name string }
	Ready       bool
	Events      int
	DeadLetters int
}

type triggerRow struct {
	Key     struct{ Namespace, Name string }
	Ready   bool
	Reason  string
	Backlog int
}

// get runs kn-jetstream get on the laptop's store.
func get[Row any](t *testing.T, l *laptop, what string) []Row {
	t.Helper()
	return getFrom[Row](t, what, "--store", l.store)
}

// getFrom runs kn-jetstream get with flags that say where.
func getFrom[Row any](t *testing.T, what string, flags ...string) []Row {
	t.Helper()
	var rows []Row
	output, err := exec.CommandContext(t.Context(), built.kn, append([]string{"get", what, "-o", "json"}, flags...)...).Output() //nolint:gosec // the test's own program
	if err == nil {
		err = json.Unmarshal(output, &rows)
	}
	if err != nil {
		t.Fatalf("get %s: %v\n%s", what, err, output)
	}
	return rows
}

// drained waits until no Trigger has a backlog: then all that was accepted is delivered or a dead letter, and nothing more comes.
func (l *laptop) drained(t *testing.T) {
	t.Helper()
	l.drainedOf(t, "triggers")
}

// drainedOf waits until none of them has a backlog: triggers, or subscriptions.
func (l *laptop) drainedOf(t *testing.T, what string) {
	t.Helper()
	eventually(t, 40*time.Second, "none of the "+what+" has a backlog", func() error { return held(get[triggerRow](t, l, what)) })
}

// backlogOf names the Subscriptions on a NATS that have a backlog.
func backlogOf(t *testing.T, natsURL string) error {
	t.Helper()
	return held(getFrom[triggerRow](t, "subscriptions", "--nats", natsURL))
}

func held(rows []triggerRow) error {
	var errs []error
	for _, row := range rows {
		if row.Backlog > 0 {
			errs = append(errs, fmt.Errorf("%s/%s: %d", row.Key.Namespace, row.Key.Name, row.Backlog))
		}
	}
	return errors.Join(errs...)
}

// endless is a body of so many bytes that takes no memory; the client sends it chunked.
func endless(bytes int64) io.Reader { return io.LimitReader(repeating('x'), bytes) }

type repeating byte

func (r repeating) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

// big is a text of so many bytes.
func big(bytes int) string { return strings.Repeat("x", bytes) }
