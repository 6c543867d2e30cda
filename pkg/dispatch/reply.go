package dispatch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// maxNoRoom is how often an event is delivered again because its reply found the log full, about five minutes in all. After
// that each delivery whose reply finds the log full is a failed one: a log that is full of events whose replies do not fit would
// otherwise stay full for ever.
const maxNoRoom = 8

// refusal is a reply that makes a delivery a failed one, as the status that upstream's Broker would see for it.
type refusal struct {
	code int
	err  error
}

// reply stores the reply, in a Broker's log, that the response to a delivered event carries, if any. A refusal means that the delivery
// has failed after all; an error means that the store is away, so that nothing can be said yet.
func (r *runner) reply(t task, hops int, response Response) (*refusal, error) {
	reply, found, err := replyIn(response)
	if err != nil {
		return &refusal{http.StatusBadGateway, err}, nil
	}
	if !found {
		return nil, nil
	}
	reply, err = event.Reply(reply, hops, time.Now())
	if errors.Is(err, event.ErrHopsExhausted) {
		// The ingress refuses such an event for good, so the reply comes to the same end.
		return &refusal{http.StatusBadRequest, fmt.Errorf("%w: reply: %w", delivery.ErrPermanent, err)}, nil
	}
	if err != nil {
		return &refusal{http.StatusBadGateway, fmt.Errorf("reply: %w", err)}, nil
	}
	ctx, cancel := context.WithTimeout(r.cutoff, storeTimeout)
	defer cancel()
	err = r.ports.store.Reply(ctx, r.target, t.Work, reply)
	if errors.Is(err, ErrReplyForbidden) {
		return &refusal{http.StatusForbidden, fmt.Errorf("%w: %w", delivery.ErrPermanent, err)}, nil
	}
	if errors.Is(err, ErrReplyRefused) || (errors.Is(err, ErrNoRoom) && t.Unstored >= maxNoRoom) {
		return &refusal{http.StatusBadGateway, err}, nil
	}
	if err == nil {
		r.ports.replied(r.target, reply)
	}
	return nil, err
}

// maxReplyBytes bounds a reply whose content coding is taken off, as the sender bounds one without.
const maxReplyBytes = 3 << 19

// replyIn returns the CloudEvent in a response. A 202 says that work goes on, and carries none whatever its body. A 200 with an empty
// body and no ce- header is no reply either, but any other one has to be a CloudEvent. Of the other successes what claims to be a
// CloudEvent is a reply. Source: specs/eventing/data-plane.md (Derived (Reply) Events), which names 200 and 202 alone, and
// knative.dev/eventing pkg/broker/filter/filter_handler.go, which takes an event with any of them.
func replyIn(response Response) (reply event.Event, found bool, err error) {
	switch code := response.StatusCode; {
	case !isSuccess(code), code == http.StatusAccepted, code != http.StatusOK && !claimsEvent(response.Header):
		return event.Event{}, false, nil
	case response.Truncated:
		return event.Event{}, false, errTruncatedReply
	}
	attributes := hasAttributes(response.Header)
	if len(response.Body) == 0 && !attributes {
		return event.Event{}, false, nil
	}
	body, err := event.DecodeBody(response.Header, response.Body, event.Room{Limit: maxReplyBytes})
	if err == nil && len(body) == 0 && !attributes {
		return event.Event{}, false, nil // some servers code nothing, too
	}
	if err == nil {
		reply, err = event.FromHTTP(response.Header, body)
	}
	if err != nil {
		return event.Event{}, false, fmt.Errorf("%w: %w", errMalformedReply, err)
	}
	return reply, true, nil
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

func isSuccess(code int) bool { return code >= 200 && code <= 299 }

// statusError is nil for a success.
func statusError(code int) error {
	if isSuccess(code) {
		return nil
	}
	return fmt.Errorf("status %d", code)
}
