package floor

import (
	"context"
	"errors"
	"strings"

	natsjetstream "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// Streams are the streams and buckets of the installation with this prefix.
func Streams(ctx context.Context, o jetstream.Options) ([]string, error) {
	var found []string
	err := with(o, func(js natsjetstream.JetStream) error {
		names := js.StreamNames(ctx)
		for name := range names.Name() {
			if belongs(name, o.Names) {
				found = append(found, name)
			}
		}
		return names.Err()
	})
	return found, err
}

// Clear removes every stream and bucket of the installation with this prefix. Only who has made all of them may call it.
func Clear(ctx context.Context, o jetstream.Options) error {
	streams, err := Streams(ctx, o)
	if err != nil {
		return err
	}
	return with(o, func(js natsjetstream.JetStream) error {
		var errs []error
		for _, name := range streams {
			errs = append(errs, js.DeleteStream(ctx, name))
		}
		return errors.Join(errs...)
	})
}

func belongs(stream string, names naming.Names) bool {
	return strings.HasPrefix(strings.TrimPrefix(stream, "KV_"), names.Prefix()+"_")
}

// with has a connection of its own for a moment.
func with(o jetstream.Options, do func(natsjetstream.JetStream) error) error {
	conn, err := Connect(o)
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := natsjetstream.New(conn)
	if err != nil {
		return err
	}
	return do(js)
}
