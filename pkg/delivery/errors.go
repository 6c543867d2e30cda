package delivery

import "errors"

// ErrPermanent marks, by errors.Is, a failure that another attempt cannot mend: Decide dead-letters the event without a
// retry. A reply whose hops are used up is such a failure.
var ErrPermanent = errors.New("permanent failure")
