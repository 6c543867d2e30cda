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

const userAgent = "eventing-jetstream"

// message is a request to be posted. Its header lacks Host, Content-Length and what else HTTP
// itself needs. The body may be the event's own bytes.
type message struct {
	url    *url.URL
	header http.Header
	body   []byte
}

// newMessage encodes the event, in binary mode without a copy of Data. All messages have Prefer:
// reply and Kn-Namespace: a dead letter sink may be a subscriber. Errors: ErrDestination,
// ErrHeader.
func newMessage(request dispatch.Request) (message, error) {
	u, err := url.Parse(request.To.URL)
	if err != nil {
		// The parser's error repeats parts of the URL, which may hold a password.
		return message{}, fmt.Errorf("%w: its URL cannot be parsed", ErrDestination)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return message{}, fmt.Errorf("%w: %s: unsupported scheme %q", ErrDestination, withoutSecrets(u), u.Scheme)
	}
	if u.Hostname() == "" {
		return message{}, fmt.Errorf("%w: %s: no host", ErrDestination, withoutSecrets(u))
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

// check refuses header names and values that HTTP cannot carry. Package event accepts none of
// these; check is the last guard against header injection.
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

// encode returns the headers and the body in the content mode that the subscriber wants. In binary
// mode an event with a CloudEvents content type would be misread, so it is always structured.
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

// withoutSecrets returns the URL without user name, password and query.
func withoutSecrets(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
