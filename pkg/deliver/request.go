package deliver

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpguts"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/dispatch"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// userAgent is who we are to a subscriber.
const userAgent = "eventing-jetstream"

// message is what is to be posted. Host, Content-Length and what else HTTP needs is not among the headers. The body may be the event's
// own bytes.
type message struct {
	url    *url.URL
	header http.Header
	body   []byte
}

// newMessage encodes the event. The data is not copied in the binary mode. Every message says Prefer: reply and Kn-Namespace, also
// one to a dead letter sink, which may be a subscriber elsewhere. Errors: ErrDestination, ErrHeader.
func newMessage(request dispatch.Request) (message, error) {
	u, err := url.Parse(request.To.URL)
	if err != nil {
		// What the parser says repeats parts of the URL, which may hold a password.
		return message{}, fmt.Errorf("%w: its URL cannot be parsed", ErrDestination)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return message{}, fmt.Errorf("%w: %s: unsupported scheme %q", ErrDestination, place(u), u.Scheme)
	}
	if u.Hostname() == "" {
		return message{}, fmt.Errorf("%w: %s: no host", ErrDestination, place(u))
	}
	header, body := encode(request)
	header["Kn-Namespace"] = []string{request.Namespace}
	header["Prefer"] = []string{"reply"}
	header["User-Agent"] = []string{userAgent}
	if u.User != nil {
		password, _ := u.User.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
		header["Authorization"] = []string{"Basic " + credentials}
	}
	return message{url: u, header: header, body: body}, check(header)
}

// check refuses what would not stay within its header. Package event lets no such thing in, and this is its last way out.
func check(header http.Header) error {
	for name, values := range header {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("%w: %q is no name", ErrHeader, name)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("%w: the value of %s", ErrHeader, name)
			}
		}
	}
	return nil
}

// encode returns the headers and the body of the content mode that the subscriber wants. An event whose own content type
// is a CloudEvents one would be misread in the binary mode, so it is always sent structured.
func encode(request dispatch.Request) (http.Header, []byte) {
	e := request.Event
	header := make(http.Header, len(e.Attributes)+len(e.Headers)+4)
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
