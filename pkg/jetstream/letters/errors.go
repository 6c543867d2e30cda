package letters

import "errors"

var (
	// ErrNoAddress means that no live Broker or Channel has the name that was asked for.
	ErrNoAddress = errors.New("there is no such Broker or Channel")
	// ErrLost means that messages were lost on their way here, so that what was read is not all.
	ErrLost = errors.New("dead letters were lost on their way here; try again")

	// ErrNoTarget means that the Trigger or Subscription of a letter is gone.
	ErrNoTarget = errors.New("its Trigger or Subscription is gone")
	// ErrUnreadable means that a letter holds no event that a subscriber could take.
	ErrUnreadable = errors.New("it is no CloudEvent")
	// ErrReference means that a letter does not hold its whole event.
	ErrReference = errors.New("its event was too large to be kept whole")
	// ErrTooLarge means that the event of a letter fits into no message that is for one target alone.
	ErrTooLarge = errors.New("its event is too large to be sent to one target alone")
)
