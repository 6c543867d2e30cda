package jetstream

import "github.com/eventing-jetstream/eventing-jetstream/pkg/route"

// LogOf returns the name of the address's log.
func (c *Client) LogOf(a route.Address) string {
	if a.Log.Stream != "" {
		return a.Log.Stream
	}
	return c.names.Log(a.Key)
}

// StreamOf returns the name of the stream that the target's cursor is in.
func (c *Client) StreamOf(t route.Target) string {
	if t.Stream != "" {
		return t.Stream
	}
	return c.names.Log(t.Key.Address)
}
