package natstest

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// StartThree runs three servers that are one NATS, until the test ends, and returns them once they have a leader.
func StartThree(t testing.TB) []*Server {
	t.Helper()
	var ports []int
	var routes []*url.URL
	for range 3 {
		port := freePort(t)
		ports = append(ports, port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: "127.0.0.1:" + strconv.Itoa(port)})
	}
	var servers []*Server
	for i, port := range ports {
		servers = append(servers, Start(t, func(o *server.Options) {
			o.ServerName = fmt.Sprintf("server-%d", i)
			o.Cluster = server.ClusterOpts{Name: "three", Host: "127.0.0.1", Port: port}
			o.Routes = routes
		}))
	}
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !settled(servers) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("three nats-servers have no leader after 20 s")
		}
	}
	return servers
}

// settled reports whether there is a leader that knows all three, and each of them knows it.
func settled(servers []*Server) bool {
	leaders := 0
	for _, s := range servers {
		if !s.nats.JetStreamIsCurrent() {
			return false
		}
		if s.nats.JetStreamIsLeader() {
			leaders++
			if len(s.nats.JetStreamClusterPeers()) < len(servers) {
				return false
			}
		}
	}
	return leaders == 1
}

// freePort asks the kernel for a port that nobody listens on. Routes have to name it before the server has it.
func freePort(t testing.TB) int {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
