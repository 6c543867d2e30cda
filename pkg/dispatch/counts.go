package dispatch

import (
	"context"
	"errors"
	"net"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// fails counts a failed attempt.
func (r *runner) fails(w Work, o outcome) {
	r.target.Counts.Fail(classOf(o.response), count.Failure{
		Code: max(o.response.StatusCode, 0), Message: o.Reason, Event: w.Event.Attr(event.ID),
	})
}

// classOf tells failures apart. A response with a status and an error is one whose reply is refused.
func classOf(response Response) count.Class {
	timeout, fromNetwork := errors.AsType[net.Error](response.Err)
	switch {
	case response.StatusCode > 0 && response.Err != nil:
		return count.Reply
	case response.StatusCode > 0:
		return count.StatusClass(response.StatusCode)
	case errors.Is(response.Err, context.DeadlineExceeded), fromNetwork && timeout.Timeout():
		return count.Timeout
	}
	return count.NoResponse
}
