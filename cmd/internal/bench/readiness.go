package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// freeAddress returns an address on loopback that nothing listened on a moment ago.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// freeAddresses returns n of them, all different.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	addresses := make([]string, n)
	var errs error
	for i := range addresses {
		address, err := freeAddress(ctx)
		addresses[i], errs = address, errors.Join(errs, err)
	}
	return addresses, errs
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
