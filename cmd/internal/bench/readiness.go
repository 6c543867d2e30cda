package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
)

// Ports that are given to processes lie below those that systems give to connections: none of these takes a port between the moment
// in which it is found free and the start of the process.
const (
	firstPort = 20000
	portCount = 12000
)

var errNoPort = errors.New("no port is free")

// freeAddress returns an address on loopback that nothing listened on a moment ago. It begins to look at random, since another bench
// may look at the same time. Error: errNoPort.
func freeAddress(ctx context.Context) (string, error) {
	first := rand.IntN(portCount) //nolint:gosec // no secret
	for i := range portCount {
		address := fmt.Sprint("127.0.0.1:", firstPort+(first+i)%portCount)
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err == nil {
			return address, l.Close()
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
	return "", errNoPort
}

// freeAddresses returns n of them, all different.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	var addresses []string
	for len(addresses) < n {
		address, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(addresses, address) {
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}

// answersOK asks a URL of a probe.
func answersOK(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %d", url, response.StatusCode)
		}
		return nil
	}
}
