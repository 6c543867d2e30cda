// Package naming makes every name that we use in NATS: streams, consumers, subjects, KV keys and
// message ids. Different identities never share a name (I12). A legal Kubernetes name has no '_',
// no '=' and no upper case, so '_' separates the parts of a name and '=' stands for a dot.
package naming

import (
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// DefaultPrefix is the default prefix of an installation.
const DefaultPrefix = "kn"

const maxPrefix = 16

// Names makes the names of one installation. All begin with its prefix, so that installations can
// share a NATS account. A Names is a comparable value; make it with New.
type Names struct {
	prefix string
}

// New returns the names for a prefix of 1 to 16 letters, digits and dashes, or ErrPrefix.
func New(prefix string) (Names, error) {
	if len(prefix) == 0 || len(prefix) > maxPrefix {
		return Names{}, fmt.Errorf("%w %q: want 1 to %d characters", ErrPrefix, prefix, maxPrefix)
	}
	if prefix == "KV" || prefix == "OBJ" {
		return Names{}, fmt.Errorf("%w %q: NATS uses it for the streams of its buckets", ErrPrefix, prefix)
	}
	for _, c := range prefix {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		default:
			return Names{}, fmt.Errorf("%w %q: want only letters, digits and dashes", ErrPrefix, prefix)
		}
	}
	return Names{prefix}, nil
}

// Prefix returns the installation's prefix.
func (n Names) Prefix() string { return n.prefix }

// RoutesBucket names the KV bucket of the routes.
func (n Names) RoutesBucket() string { return n.prefix + "_routes" }

// ReportsBucket names the KV bucket of the reports of ingress and filter processes.
func (n Names) ReportsBucket() string { return n.prefix + "_reports" }

// PositionsBucket names the KV bucket of the last known positions of cursors.
func (n Names) PositionsBucket() string { return n.prefix + "_positions" }

// EventTypesBucket names the KV bucket of the event types seen.
func (n Names) EventTypesBucket() string { return n.prefix + "_eventtypes" }

// Log names the stream with an address's events.
func (n Names) Log(k route.Key) string { return n.stream("log", k) }

// DirectedStream names the address's work queue of events that are each for one target.
func (n Names) DirectedStream(k route.Key) string { return n.stream("directed", k) }

// DeadLetterStream names the stream of the address's dead letters without a dead letter sink.
func (n Names) DeadLetterStream(k route.Key) string { return n.stream("dead", k) }

func (n Names) stream(use string, k route.Key) string {
	return bounded(n.prefix, use, token(string(k.Kind)), token(k.Namespace), token(k.Name))
}

// Consumer names a target's durable consumer, uniquely among those of the address's stream.
func (n Names) Consumer(t route.TargetKey) string {
	return bounded(t.Address.TargetKind(), token(t.Namespace), token(t.Name))
}

// SharedConsumer names the durable consumer that targets share. Other consumers' names have a '_'.
func (n Names) SharedConsumer() string { return "shared" }

// ForeignConsumer names a target's durable consumer of a foreign stream. The name contains the
// prefix and the address, because that stream has consumers of others.
func (n Names) ForeignConsumer(t route.TargetKey) string {
	return bounded(n.prefix, t.Address.TargetKind(), token(t.Address.Namespace), token(t.Address.Name), token(t.Namespace), token(t.Name))
}
