package send

import "errors"

// ErrNotAccepted means that the run ended and at least one event was not accepted.
var ErrNotAccepted = errors.New("not every event was accepted")
