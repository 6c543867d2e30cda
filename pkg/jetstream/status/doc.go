// Package status reads what kn-jetstream get shows: the routes, whether they are ready, and what
// their streams hold. It changes nothing.
package status
