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

// maxErrorBody is the part of a response that ErrorData holds. Upstream bounds the base64 text, to 1024 characters: these
// are its first 768 bytes.
const maxErrorBody = 1024 / 4 * 3

// FailureAttributes describes to a dead letter sink why an event could not be delivered: where it was to go, the last
// status, and the last response's body up to 768 bytes. The attributes are canonical; an empty body adds no ErrorData.
//
// A code below 1 (no response) becomes 500, as upstream has it; pass ErrorBody then. A destination that is no http or
// https URL becomes http://host/, as upstream has it. Unlike upstream's, the URL carries no user name and password.
//
// Upstream adds each attribute only where the event has none of that name, so that an event which fails a second time, as a dead
// letter, still tells its first failure.
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

// ErrorBody stands in for the body of a response that never came; upstream tells dead letter sinks in these words.
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
