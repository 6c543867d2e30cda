package daemon

import (
	"errors"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/connection"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/config"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// Flags are the flags that cmd/ingress and cmd/filter have in common.
type Flags struct {
	Probes string
	// Drain is how long what is in flight may take to end; DrainDelay, of the ingress, precedes it.
	Drain, DrainDelay time.Duration
	JSONLogs          bool
	// NATS is for plain machines, Folders for pods.
	NATS    connection.Flags
	Folders config.NATSFolders
	// Logging and Observability are the folders of the mounted config-logging and
	// config-observability.
	Logging, Observability string
}

// Register adds the flags to a command.
func (f *Flags) Register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Probes, "probe-listen", "", "`address` that serves /healthz and /readyz")
	flags.DurationVar(&f.Drain, "drain", 30*time.Second, "how long what is in flight may take to finish after a signal to stop")
	flags.BoolVar(&f.JSONLogs, "json-logs", false, "write the log as JSON")
	flags.StringVar(&f.Logging, "logging-config", "", "`folder` of a mounted ConfigMap config-logging; its log level is followed")
	flags.StringVar(&f.Observability, "observability-config", "",
		"`folder` of a mounted ConfigMap config-observability: how metrics are exported, and whether profiles are served")
	f.NATS.Register(flags)
	flags.StringVar(&f.Folders.Config, "nats-config", "", "`folder` of a mounted ConfigMap that says where NATS is: url, prefix")
	flags.StringVar(&f.Folders.Credentials, "nats-credentials", "",
		"`folder` of a mounted Secret with credentials for NATS: creds, nkey, ca.crt, tls.crt, tls.key")
	cmd.MarkFlagsOneRequired("nats", "nats-config")
	for _, name := range []string{"nats", "creds", "nkey", "tls-ca", "tls-cert", "tls-key", "prefix"} {
		cmd.MarkFlagsMutuallyExclusive("nats-config", name) // the folders say all that these say
	}
}

// Validate returns an error that names the first wrong flag.
func (f *Flags) Validate() error {
	switch {
	case f.NATS.URL == "" && f.Folders.Config == "":
		return errors.New("--nats or --nats-config must not be empty")
	case f.Folders.Credentials != "" && f.Folders.Config == "":
		return errors.New("--nats-credentials goes with --nats-config; with --nats, --creds, --nkey and --tls-* name files")
	case f.Drain < 0 || f.DrainDelay < 0:
		return errors.New("--drain and --drain-delay must not be negative")
	}
	return nil
}

// connection returns how to reach NATS; mounted is nil unless folders say it and can be followed.
func (f *Flags) connection(name string, logger *slog.Logger) (options jetstream.Options, mounted *connection.Mounted, err error) {
	if f.Folders.Config == "" {
		options, err = f.NATS.Options(name, logger)
		return options, nil, err
	}
	if mounted, err = connection.Read(f.Folders, name); err != nil {
		return jetstream.Options{}, nil, err
	}
	return mounted.Options(logger), mounted, nil
}
