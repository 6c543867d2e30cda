package ingress

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// addressKey returns the address of an escaped URL path, which may end in a slash: the Broker of
// /{namespace}/{name}, or the Channel of /channels/{namespace}/{name}. A Broker in the namespace
// channels keeps its two-part path. The error is ErrNoPath or ErrMalformedPath. Names are not
// unescaped: Kubernetes names need no escapes, and no address gets a second path.
func addressKey(path string) (route.Key, error) {
	if path == "" || path == "/" {
		return route.Key{}, ErrNoPath
	}
	rest, rooted := strings.CutPrefix(path, "/")
	key := route.Key{Kind: route.KindBroker}
	key.Namespace, key.Name, _ = strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	if namespace, name, three := strings.Cut(key.Name, "/"); three && key.Namespace == route.ChannelPathPrefix {
		key = route.Key{Kind: route.KindChannel, Namespace: namespace, Name: name}
	}
	if !rooted || key.Namespace == "" || key.Name == "" || strings.Contains(key.Name, "/") {
		return route.Key{}, ErrMalformedPath
	}
	return key, nil
}

// find returns the address of the request's path or, if the path is empty, of its host. Errors:
// addressKey's, ErrUnknownBroker, ErrUnknownChannel; ErrRefused and ErrNoHTTPS with the address.
func (h *Handler) find(r *http.Request) (route.Address, error) {
	address, known, err := h.lookUp(r)
	switch {
	case err != nil:
		return route.Address{}, err
	case known && address.Refuse == route.NoHTTPS:
		return address, fmt.Errorf("%w: %s", ErrNoHTTPS, address.Refuse)
	case known && address.Refuse != "":
		return address, fmt.Errorf("%w: %s", ErrRefused, address.Refuse)
	case known:
		return address, nil
	case address.Key.Kind == route.KindChannel:
		return route.Address{}, fmt.Errorf("%w %s/%s", ErrUnknownChannel, address.Key.Namespace, address.Key.Name)
	case address.Key.Namespace == route.ChannelPathPrefix:
		return route.Address{}, fmt.Errorf("%w %s/%s (the path of a Channel is /channels/{namespace}/{name})",
			ErrUnknownBroker, address.Key.Namespace, address.Key.Name)
	default:
		return route.Address{}, fmt.Errorf("%w %s/%s", ErrUnknownBroker, address.Key.Namespace, address.Key.Name)
	}
}

// lookUp returns the address; if it is not known, one with only the key.
func (h *Handler) lookUp(r *http.Request) (address route.Address, known bool, err error) {
	path := r.URL.EscapedPath()
	if path == "" || path == "/" {
		if address, known = h.config.Addresses.Host(hostName(r.Host)); known {
			return address, true, nil
		}
	}
	key, err := addressKey(path)
	if err != nil {
		return route.Address{}, false, err
	}
	if address, known = h.config.Addresses.Address(key); known {
		return address, true, nil
	}
	return route.Address{Key: key}, false, nil
}

// hostName returns the lower-case name in a Host header, without port and final dot. An IPv6
// address becomes text that is no host name.
func hostName(host string) string {
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 {
		host = host[:colon]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
