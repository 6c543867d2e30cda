package connection

import (
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// Flags say how to reach NATS; they are the same for every program.
type Flags struct {
	URL, Creds, NKey, CA, Cert, Key, Prefix string
}

// Register adds the flags to a command.
func (f *Flags) Register(flags *pflag.FlagSet) {
	flags.StringVar(&f.URL, "nats", "", "URL of the NATS server, or several separated by commas")
	flags.StringVar(&f.Creds, "creds", "", "NATS credentials `file`")
	flags.StringVar(&f.NKey, "nkey", "", "NKey seed `file`")
	flags.StringVar(&f.CA, "tls-ca", "", "`file` with the CA certificates that the NATS server is checked against")
	flags.StringVar(&f.Cert, "tls-cert", "", "client certificate `file` for NATS")
	flags.StringVar(&f.Key, "tls-key", "", "client key `file` for NATS")
	flags.StringVar(&f.Prefix, "prefix", naming.DefaultPrefix, "prefix of every stream, bucket and subject; two installations on one NATS differ in it")
}

// Options returns what the flags say, for a connection of this name. Errors: a prefix that is none, a file that cannot be read.
func (f *Flags) Options(name string, logger *slog.Logger) (jetstream.Options, error) {
	names, err := naming.New(f.Prefix)
	if err != nil {
		return jetstream.Options{}, err
	}
	// nats.go reads credentials when it connects, again and again: it would wait for ever for a file that is not there.
	for _, file := range []string{f.Creds, f.NKey, f.CA, f.Cert, f.Key} {
		if file == "" {
			continue
		}
		if _, err := os.ReadFile(file); err != nil {
			return jetstream.Options{}, err
		}
	}
	return jetstream.Options{
		URL: f.URL, Creds: f.Creds, NKey: f.NKey, CA: f.CA, Cert: f.Cert, Key: f.Key,
		Name: name, Names: names, Logger: logger,
	}, nil
}
