package jetstream

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"
)

// dialTimeout bounds one attempt to connect to one address; it is nats.go's own default.
const dialTimeout = 2 * time.Second

// dialer remembers why it could not connect: nats.go tells that to nobody while it goes on trying. Safe for concurrent use.
type dialer struct {
	mu   sync.Mutex
	last error
}

// Dial makes it a nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	plain := net.Dialer{Timeout: dialTimeout}
	conn, err := plain.DialContext(context.Background(), network, address)
	d.mu.Lock()
	d.last = err
	d.mu.Unlock()
	return conn, err
}

// lastError is nil after an attempt that succeeded.
func (d *dialer) lastError() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// withoutUsers takes names, passwords and tokens out of a comma-separated list of servers.
func withoutUsers(servers string) string {
	list := strings.Split(servers, ",")
	for i, server := range list {
		scheme, rest, found := strings.Cut(strings.TrimSpace(server), "://")
		if !found {
			scheme, rest = "nats", scheme
		}
		list[i] = scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
	}
	return strings.Join(list, ",")
}
