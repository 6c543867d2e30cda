package dataplane

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/pflag"
)

// IngressFlags are the bounds of an ingress, the same for every program that has one.
type IngressFlags struct {
	MaxEventBytes int64
	MaxInFlight   int
}

// Register adds the flags to a command.
func (f *IngressFlags) Register(flags *pflag.FlagSet) {
	flags.Int64Var(&f.MaxEventBytes, "max-event-bytes", 0, "size limit of an event (default: what NATS takes)")
	flags.IntVar(&f.MaxInFlight, "max-in-flight", 0, "requests that the ingress handles at one time (default: as many as its memory holds)")
}

// Validate returns an error that names the first wrong flag.
func (f *IngressFlags) Validate() error {
	switch {
	case f.MaxEventBytes < 0:
		return errors.New("--max-event-bytes must not be negative")
	case f.MaxInFlight < 0:
		return errors.New("--max-in-flight must not be negative")
	}
	return nil
}

// PublicURL checks the URL at which clients reach an ingress, and cuts slashes at its end, as a
// Broker's path begins with one. "" is allowed.
func PublicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("--url is %q; it must be an absolute http or https URL", text)
	}
	return strings.TrimRight(text, "/"), nil
}
