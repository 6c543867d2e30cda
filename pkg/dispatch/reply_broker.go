package dispatch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// maxNoRoom is how often an event is delivered again because its reply found the log full, about
// five minutes in all. After that each delivery whose reply finds the log full is a failed one: a
// log that is full of events whose replies do not fit would otherwise stay full for ever.
const maxNoRoom = 8

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

// storeReply stores the outcome's reply in the Broker's log. A reply that the log refuses makes a
// failed delivery of the outcome; an error means that nothing can be said yet.
func (r *runner) storeReply(w Work, o outcome) (outcome, error) {
	ctx, cancel := context.WithTimeout(r.ports.requests, storeTimeout)
	defer cancel()
	err := r.ports.Store.Reply(ctx, r.target, w, *o.reply)
	switch {
	case err == nil:
		r.ports.Replied(r.target, *o.reply)
		return o, nil
	case errors.Is(err, ErrReplyForbidden):
		err = fmt.Errorf("%w: %w", delivery.ErrPermanent, err)
		return r.refuse(w, o.response, http.StatusForbidden, err), nil
	case errors.Is(err, ErrReplyRefused), errors.Is(err, ErrNoRoom) && w.Unstored >= maxNoRoom:
		return r.refuse(w, o.response, http.StatusBadGateway, err), nil
	default:
		return o, err
	}
}
