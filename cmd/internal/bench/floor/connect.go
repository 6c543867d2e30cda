// Package floor holds the smallest programs that do a part of what a Broker does: what it takes at the least, measured in the same
// round, with the same connections, events and stream settings.
package floor

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Connect makes a plain connection to NATS.
func Connect(o jetstream.Options) (*nats.Conn, error) {
	options := []nats.Option{nats.Name(o.Name)}
	if o.Creds != "" {
		options = append(options, nats.UserCredentials(o.Creds))
	}
	if o.NKey != "" {
		nkey, err := nats.NkeyOptionFromSeed(o.NKey)
		if err != nil {
			return nil, err
		}
		options = append(options, nkey)
	}
	if o.CA != "" {
		options = append(options, nats.RootCAs(o.CA))
	}
	if o.Cert != "" {
		options = append(options, nats.ClientCert(o.Cert, o.Key))
	}
	conn, err := nats.Connect(o.URL, options...)
	if err != nil {
		return nil, errors.New("connect to NATS: no answer, or refused") // the error may quote a URL with a password
	}
	return conn, nil
}

// broker is the address that is measured.
func broker() route.Key {
	return route.Key{Kind: route.KindBroker, Namespace: workload.Namespace, Name: workload.Broker}
}

// Address reads the route of the Broker that is measured.
func Address(ctx context.Context, client *jetstream.Client) (route.Address, error) {
	records, err := routes.Records(ctx, client, "")
	if err != nil {
		return route.Address{}, err
	}
	for _, r := range records {
		if r.Address != nil && r.Address.Key == broker() {
			return *r.Address, nil
		}
	}
	return route.Address{}, fmt.Errorf("%s has no route", broker())
}
