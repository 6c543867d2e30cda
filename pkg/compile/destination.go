package compile

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Resolver finds the URL of a referenced resource. An error says why there is none; it ends up in Target.NotReady, and is no
// reason to refuse the Trigger: what is missing now may come.
type Resolver func(ref duckv1.KReference) (string, error)

// NewResolver makes a Resolver from entries of the form kind/namespace/name=URL, as kn-jetstream's --resolve takes them.
// The kind is compared without regard to case. A malformed entry or one that is given twice is an error that quotes it.
func NewResolver(entries []string) (Resolver, error) {
	urls := make(map[string]string, len(entries))
	for _, entry := range entries {
		name, target, found := strings.Cut(entry, "=")
		parts := strings.Split(name, "/")
		if !found || len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
			return nil, fmt.Errorf("resolve %q: want kind/namespace/name=URL", entry)
		}
		if _, err := parseAbsolute(target); err != nil {
			return nil, fmt.Errorf("resolve %q: %w", entry, err)
		}
		key := resolverKey(parts[0], parts[1], parts[2])
		if _, twice := urls[key]; twice {
			return nil, fmt.Errorf("resolve %q: %s is given twice", entry, name)
		}
		urls[key] = target
	}
	return func(ref duckv1.KReference) (string, error) {
		if target, ok := urls[resolverKey(ref.Kind, ref.Namespace, ref.Name)]; ok {
			return target, nil
		}
		return "", fmt.Errorf("give its URL with --resolve %s/%s/%s=URL", ref.Kind, ref.Namespace, ref.Name)
	}, nil
}

func resolverKey(kind, namespace, name string) string {
	return strings.ToLower(kind) + "/" + namespace + "/" + name
}

// endpoint is what became of a Destination: where it is, or why that is not known at present. Neither is set when there is none.
type endpoint struct {
	to         *route.Destination
	unresolved string
}

// locate resolves a Destination by the rules of knative.dev/pkg resolver: an absolute uri alone, or a ref, whose URL a
// relative uri is resolved against.
func locate(d *duckv1.Destination, namespace string, resolve Resolver) (endpoint, *apis.FieldError) {
	var target *url.URL
	var err error
	switch {
	case d == nil:
		return endpoint{}, nil
	case d.Ref == nil && d.URI == nil:
		return endpoint{}, apis.ErrMissingOneOf("ref", "uri")
	case d.Ref != nil && d.URI != nil && d.URI.URL().IsAbs():
		return endpoint{}, apis.ErrInvalidValue(d.URI.URL().Redacted(), "uri", "must be relative beside a ref")
	case d.Ref == nil:
		target, err = parseAbsolute(d.URI.String())
		if err != nil {
			return endpoint{}, apis.ErrInvalidValue(d.URI.URL().Redacted(), "uri", err.Error())
		}
	default:
		ref := *d.Ref
		if ref.Namespace == "" {
			ref.Namespace = namespace
		}
		target, err = refURL(ref, d.URI.URL(), resolve)
		if err != nil {
			return endpoint{unresolved: fmt.Sprintf("ref %s %s/%s is not resolved: %v", ref.Kind, ref.Namespace, ref.Name, err)}, nil
		}
	}
	return endpoint{to: destinationAt(target, d)}, nil
}

func destinationAt(url *url.URL, d *duckv1.Destination) *route.Destination {
	return &route.Destination{URL: url.String(), CACerts: orEmpty(d.CACerts), Audience: orEmpty(d.Audience)}
}

// locateSubscriber is locate for a Trigger's subscriber; see Options.AnySubscriber.
func locateSubscriber(t *eventingv1.Trigger, deadLetter *route.Destination, o Options) (endpoint, *apis.FieldError) {
	d := &t.Spec.Subscriber
	if o.AnySubscriber && deadLetter != nil && d.Ref == nil && d.URI != nil {
		if url, err := parseURL(d.URI.String()); err == nil {
			return endpoint{to: destinationAt(url, d)}, nil
		}
	}
	return locate(d, t.Namespace, o.Resolve)
}

func refURL(ref duckv1.KReference, relative *url.URL, resolve Resolver) (*url.URL, error) {
	if resolve == nil {
		return nil, errors.New("there is nothing that resolves references")
	}
	text, err := resolve(ref)
	if err != nil {
		return nil, err
	}
	base, err := parseAbsolute(text)
	if err != nil {
		return nil, err
	}
	if *relative == (url.URL{}) {
		return base, nil
	}
	return base.ResolveReference(relative), nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// parseAbsolute demands a URL that events can be delivered to.
func parseAbsolute(text string) (*url.URL, error) {
	target, err := parseURL(text)
	switch {
	case err != nil:
		return nil, err
	case target.Scheme != "http" && target.Scheme != "https":
		return nil, fmt.Errorf("events are delivered by http or https, and not by %s", target.Scheme)
	case target.Port() != "" && !isPort(target.Port()):
		return nil, fmt.Errorf("%s is not a port", target.Port())
	}
	return target, nil
}

// parseURL demands what upstream's resolver demands, a scheme and a host, and no password: routes are readable by every process.
func parseURL(text string) (*url.URL, error) {
	target, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case !target.IsAbs() || target.Hostname() == "":
		return nil, errors.New("must be an absolute URL with scheme and host")
	case target.User != nil:
		return nil, errors.New("must not hold a user name or password")
	}
	return target, nil
}

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}
