package dispatch

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// maxReplyBytes bounds a reply whose content coding is taken off, as the sender bounds a reply
// without a coding.
const maxReplyBytes = 3 << 19

// replyIn returns the CloudEvent in a successful response. A 202 never carries a reply. Nor does a
// 200 with an empty body and no ce- header, but any other 200 has to be a CloudEvent. Of the other
// successes, what claims to be a CloudEvent is a reply. Source: specs/eventing/data-plane.md
// (Derived (Reply) Events), which names 200 and 202 alone, and knative.dev/eventing
// pkg/broker/filter/filter_handler.go, which takes an event with any success.
func replyIn(response Response) (reply event.Event, found bool, err error) {
	switch code := response.StatusCode; {
	case code == http.StatusAccepted, code != http.StatusOK && !claimsEvent(response.Header):
		return event.Event{}, false, nil
	case response.Truncated:
		return event.Event{}, false, errTruncatedReply
	}
	attributes := hasAttributes(response.Header)
	if len(response.Body) == 0 && !attributes {
		return event.Event{}, false, nil
	}
	decoded, err := body.Decode(response.Header, response.Body, body.Room{Limit: maxReplyBytes})
	if err == nil && len(decoded) == 0 && !attributes {
		return event.Event{}, false, nil // some servers encode an empty body
	}
	if err == nil {
		reply, err = event.FromHTTP(response.Header, decoded)
	}
	if err != nil {
		return event.Event{}, false, fmt.Errorf("%w: %w", errMalformedReply, err)
	}
	return reply, true, nil
}

// claimsEvent reports whether a header says that the body is a CloudEvent or a batch of them.
func claimsEvent(header http.Header) bool {
	format := header.Get("Content-Type")
	return header.Get("Ce-Specversion") != "" || event.IsStructured(format) || event.IsBatch(format)
}

// hasAttributes reports whether a header carries an attribute of a CloudEvent.
func hasAttributes(header http.Header) bool {
	for name := range header {
		if len(name) > len("ce-") && strings.EqualFold(name[:len("ce-")], "ce-") {
			return true
		}
	}
	return false
}
