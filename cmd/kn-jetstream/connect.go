package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/version"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/embedded"
)

// connectBudget is how long a command waits for NATS before it says that it cannot be reached.
const connectBudget = 10 * time.Second

// quietBudget is how long it waits without saying so.
const quietBudget = time.Second

// connectOrEmbed returns a client of the NATS that the flags name, once that is there, or of one that it starts in this process.
func connectOrEmbed(ctx context.Context, o runOptions, logger *slog.Logger) (*jetstream.Client, func(), error) {
	options, err := o.nats.Options("kn-jetstream run", logger)
	if err != nil {
		return nil, nil, badInput(err)
	}
	stopServer := func() {}
	if o.nats.URL == "" {
		if o.store == "" {
			if o.store, err = defaultStore(); err != nil {
				return nil, nil, err
			}
		}
		server, err := embedded.Start(ctx, embedded.Options{
			Store: o.store, SyncAlways: o.sync == "always",
			Holder: fmt.Sprintf("process %d, listening on %s since %s", os.Getpid(), o.listen, time.Now().Format(time.DateTime)),
		})
		if err != nil {
			return nil, nil, err
		}
		stopServer = server.Stop
		options.InProcess, options.URL = server, server.URL()
	}
	client, err := jetstream.Connect(options)
	if err != nil {
		stopServer()
		return nil, nil, badInput(err)
	}
	stop := func() { client.Close(); stopServer() }
	if err = connection.Await(ctx, client, logger); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	o.sayWhere(client)
	return client, stop, nil
}

// sayWhere says what runs, and where everything is.
func (o *runOptions) sayWhere(client *jetstream.Client) {
	fmt.Fprintln(o.out, "kn-jetstream", version.String())
	if o.base != "" {
		fmt.Fprintln(o.out, "  listens on ", o.base)
	}
	if o.nats.URL != "" {
		fmt.Fprintln(o.out, "  NATS       ", client.Servers())
		return
	}
	fmt.Fprintln(o.out, "  store      ", o.store)
	fmt.Fprintf(o.out, "  NATS        %s, embedded; with its token in %s\n", client.Servers(), embedded.URLFile(o.store))
}

// defaultStore follows the XDG base directory specification.
func defaultStore() (string, error) {
	if data := os.Getenv("XDG_DATA_HOME"); data != "" {
		return filepath.Join(data, "kn-jetstream"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("--store is needed: %w", err)
	}
	return filepath.Join(home, ".local", "share", "kn-jetstream"), nil
}

// connect waits until NATS has been seen to have what is needed.
func connect(ctx context.Context, options jetstream.Options) (*jetstream.Client, error) {
	client, err := jetstream.Connect(options)
	if err != nil {
		return nil, badInput(err) // what can fail before the first attempt is a URL, a certificate or a key
	}
	ctx, cancel := context.WithTimeout(ctx, connectBudget)
	defer cancel()
	if err := waitAloud(ctx, client); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// waitAloud waits for NATS, and says so when that takes longer than a moment.
func waitAloud(ctx context.Context, client *jetstream.Client) error {
	first, cancel := context.WithTimeout(ctx, quietBudget)
	err := client.Wait(first)
	cancel()
	if err == nil || first.Err() == nil || ctx.Err() != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "kn-jetstream: waiting %s for NATS: %v\n", connectBudget, err)
	return client.Wait(ctx)
}

// errNoRun is followed by the store that no kn-jetstream run uses.
var errNoRun = errors.New("no kn-jetstream run is using the store")

// connectToRun connects to the NATS inside the kn-jetstream run that uses the store.
func connectToRun(ctx context.Context, store string, options jetstream.Options) (*jetstream.Client, error) {
	if store == "" {
		var err error
		if store, err = defaultStore(); err != nil {
			return nil, err
		}
	}
	nobody := fmt.Errorf("%w %s, and --nats is not given", errNoRun, store)
	text, err := os.ReadFile(embedded.URLFile(store))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nobody
	}
	if err != nil {
		return nil, err
	}
	options.URL = strings.TrimSpace(string(text))
	if !answers(ctx, options.URL) {
		return nil, nobody // it was killed: the file stayed
	}
	client, err := connect(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", nobody, err) // its port may be somebody else's by now
	}
	return client, nil
}

// answers reports whether anything listens there. On the own machine that is known at once.
func answers(ctx context.Context, natsURL string) bool {
	u, err := url.Parse(natsURL)
	if err != nil {
		return false
	}
	dialer := net.Dialer{Timeout: connectBudget}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
