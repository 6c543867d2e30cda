package deliver

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// newRequest builds the request. The body reads the event's own bytes; they are not copied in the binary mode.
// Every request says Prefer: reply and Kn-Namespace, also one to a dead letter sink, which may be a subscriber elsewhere.
func newRequest(ctx context.Context, request dispatch.Request) (*http.Request, error) {
	header, body := encode(request)
	outgoing, err := http.NewRequestWithContext(ctx, http.MethodPost, request.To.URL, bytes.NewReader(body))
	if err != nil {
		// What the parser says repeats parts of the URL, which may hold a password.
		return nil, fmt.Errorf("%w: its URL cannot be parsed", ErrDestination)
	}
	if scheme := outgoing.URL.Scheme; scheme != "http" && scheme != "https" {
		return nil, fmt.Errorf("%w: %s: unsupported scheme %q", ErrDestination, place(outgoing.URL), scheme)
	}
	if outgoing.URL.Hostname() == "" {
		return nil, fmt.Errorf("%w: %s: no host", ErrDestination, place(outgoing.URL))
	}
	outgoing.Header = header
	header.Set("Kn-Namespace", request.Namespace)
	header.Set("Prefer", "reply")
	if user := outgoing.URL.User; user != nil {
		password, _ := user.Password()
		outgoing.SetBasicAuth(user.Username(), password)
	}
	return outgoing, nil
}

// encode returns the headers and the body of the content mode that the subscriber wants. An event whose own content type
// is a CloudEvents one would be misread in the binary mode, so it is always sent structured.
func encode(request dispatch.Request) (http.Header, []byte) {
	e := request.Event
	header := make(http.Header, len(e.Attributes)+len(e.Headers)+3)
	contentType := e.Attr(event.DataContentType)
	if !request.JSON && !event.IsStructured(contentType) && !event.IsBatch(contentType) {
		event.WriteHTTP(e, header)
		return header, e.Data
	}
	event.WriteHTTP(event.Event{Headers: e.Headers}, header)
	body, contentType := event.Structured(e)
	header.Set("Content-Type", contentType)
	return header, body
}

// place is the part of a URL that may be shown: a user name, a password or a query can be secret.
func place(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
