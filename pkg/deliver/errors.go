package deliver

import "errors"

var (
	// ErrDestination means that a destination's URL is no http or https URL with a host.
	ErrDestination = errors.New("unusable destination")
	// ErrHeader means that HTTP cannot carry an attribute or a travelling header of the event.
	ErrHeader = errors.New("header that HTTP cannot carry")
	// ErrCACerts means that a destination's CACerts hold no certificate in PEM form.
	ErrCACerts = errors.New("unusable CA certificates")
)
