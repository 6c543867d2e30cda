package dispatch

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// brokerReply adds to the outcome of a delivered event the reply for the Broker's log, if there is
// one. hops is the hop count of the event.
func (r *runner) brokerReply(w Work, hops int, o outcome) outcome {
	reply, found, err := replyIn(o.response)
	if err != nil {
		return r.refuse(w, o.response, http.StatusBadGateway, err)
	}
	if !found {
		return o
	}
	stored, err := event.Reply(reply, hops, time.Now())
	if err != nil {
		// No hops are left. The ingress refuses such an event for good, and so does the log.
		err = fmt.Errorf("%w: reply: %w", delivery.ErrPermanent, err)
		return r.refuse(w, o.response, http.StatusBadRequest, err)
	}
	o.reply = &stored
	return o
}

// A Channel's reply is sent on to where the subscription says. The subscriber is not asked again: a
// reply that is not accepted has as many attempts of its own as the delivery spec gives, and after
// them the event, not the reply, is a dead letter. Source: knative.dev/eventing
// pkg/kncloudevents/event_dispatcher.go, and its conformance tests, which count the requests to
// both.

// channelReply adds to the outcome of a delivered event the reply to be sent on, if there is one.
// Unlike a Broker's, a Channel's subscriber may answer with anything: only what claims to be a
// CloudEvent is a reply, and has to be a CloudEvent if replies go anywhere.
func (r *runner) channelReply(w Work, o outcome) outcome {
	if r.target.Subscriber == nil || !claimsEvent(o.response.Header) {
		return o
	}
	reply, found, err := replyIn(o.response)
	switch {
	case found:
		r.ports.Replied(r.target, reply)
		forwarded := reply // allocated only here
		o.reply = &forwarded
	case err != nil && r.target.Reply != nil:
		return r.refuse(w, Response{}, http.StatusBadGateway, err)
	}
	return o
}

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
