package ingress

import (
	"fmt"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// channelPrefix starts the three-part paths of Channels. A Broker in a namespace of this name keeps its two-part path.
const channelPrefix = "channels"

// brokerKey returns the Broker that an escaped URL path names: /{namespace}/{name}, with at most one trailing slash.
// The error is ErrNoPath, ErrMalformedPath or ErrChannelPath. Names are compared as they are, so that an escaped
// character, which no Kubernetes name holds, makes an unknown Broker and never a second spelling of a known one.
func brokerKey(path string) (route.Key, error) {
	if path == "" || path == "/" {
		return route.Key{}, ErrNoPath
	}
	rest, rooted := strings.CutPrefix(path, "/")
	namespace, name, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	switch {
	case rooted && namespace == channelPrefix && strings.Contains(name, "/"):
		return route.Key{}, ErrChannelPath
	case !rooted || namespace == "" || name == "" || strings.Contains(name, "/"):
		return route.Key{}, ErrMalformedPath
	}
	return route.Key{Kind: route.KindBroker, Namespace: namespace, Name: name}, nil
}

// find returns the address that the path names, or brokerKey's error, or ErrUnknownBroker, or ErrRefused.
func (h *Handler) find(path string) (route.Address, error) {
	key, err := brokerKey(path)
	if err != nil {
		return route.Address{}, err
	}
	address, ok := h.addresses.Address(key)
	switch {
	case ok && address.Refuse != "":
		return route.Address{}, fmt.Errorf("%w: %s", ErrRefused, address.Refuse)
	case ok:
		return address, nil
	case key.Namespace == channelPrefix:
		return route.Address{}, fmt.Errorf("%w %s/%s (%w)", ErrUnknownBroker, key.Namespace, key.Name, ErrChannelPath)
	default:
		return route.Address{}, fmt.Errorf("%w %s/%s", ErrUnknownBroker, key.Namespace, key.Name)
	}
}
