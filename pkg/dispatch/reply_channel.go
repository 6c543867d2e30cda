package dispatch

import (
	"net/http"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

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

// isChannel tells a Channel's target from a Broker's.
func (r *runner) isChannel() bool { return r.key.Address.Kind == route.KindChannel }
