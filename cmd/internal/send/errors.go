package send

import "errors"

// errBinary means that nobody could tell the event from another one, its data.
var errBinary = errors.New("its data are CloudEvents themselves: send it with mode structured")

// errNone means that a file has no events.
var errNone = errors.New("there are no events in it")

// ErrNotAccepted means that the run ended and at least one event was not accepted.
var ErrNotAccepted = errors.New("not every event was accepted")
