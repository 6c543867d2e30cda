package replay

import "errors"

var (
	// ErrNoTarget means that there is no live Trigger or Subscription of the name that was asked for.
	ErrNoTarget = errors.New("not found")
	// ErrUnfinished means that an earlier replay for the target has not come to its end.
	ErrUnfinished = errors.New("an earlier replay for it is not finished")
	// ErrNoneUnfinished means that there is no replay to go on with.
	ErrNoneUnfinished = errors.New("no replay for it was begun and not finished")
	// ErrTakenOver means that another process goes on with the same replay.
	ErrTakenOver = errors.New("another process goes on with this replay, or has begun another one")
	// ErrConsuming means that what is read of a stream is gone from there.
	ErrConsuming = errors.New("its stream keeps nothing that was delivered: there is nothing to replay")
	// ErrLost means that messages were lost on their way here.
	ErrLost = errors.New("events were lost on their way here; go on with the replay")
)
