package delivery

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Extensions of an event that goes to a dead letter sink.
// Source: knative.dev/eventing pkg/kncloudevents/attributes/knative_error.go.
const (
	// ErrorDest is the URL that failed.
	ErrorDest = "knativeerrordest"
	// ErrorCode is the last HTTP status.
	ErrorCode = "knativeerrorcode"
	// ErrorData is the head of the last response's body, in base64.
	ErrorData = "knativeerrordata"
)

// maxErrorBody bounds the body in ErrorData: upstream bounds its base64 text to 1024 characters.
const maxErrorBody = 1024 / 4 * 3

// FailureAttributes describes to a dead letter sink why an event was not delivered: the
// destination, the last status, and up to 768 bytes of the last response's body. The values are
// canonical; an empty body adds no ErrorData.
//
// As upstream has it, a code below 1 (no response) becomes 500, with ErrorBody as its body, and a
// destination other than an http(s) URL becomes http://host/. Unlike upstream, user info is
// removed.
//
// Upstream does not replace attributes that the event has: an event that fails again, as a dead
// letter, still shows its first failure.
func FailureAttributes(destination string, code int, body []byte) []event.Attribute {
	if code < 1 {
		code = http.StatusInternalServerError
	}
	attributes := []event.Attribute{
		{Name: ErrorDest, Value: errorDestination(destination)},
		{Name: ErrorCode, Value: strconv.Itoa(code)},
	}
	if len(body) == 0 {
		return attributes
	}
	head := body[:min(len(body), maxErrorBody)]
	return append(attributes, event.Attribute{Name: ErrorData, Value: base64.StdEncoding.EncodeToString(head)})
}

// ErrorBody returns the body for a request without a response, in upstream's words.
func ErrorBody(reason string) []byte { return []byte("dispatch error: " + reason) }

func errorDestination(destination string) string {
	u, err := url.Parse(destination)
	if err != nil {
		u = &url.URL{}
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		u = &url.URL{Scheme: "http", Host: u.Host, Path: "/"}
	}
	u.User = nil
	return u.String()
}
