// Package naming makes every name that we use in NATS: streams, consumers, subjects, KV keys and message ids.
// Different identities never share a name. It relies on this: a legal Kubernetes name has neither '_' nor '=' nor upper case, so '_'
// separates the parts of a name and '=' stands for a dot.
package naming

import (
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// DefaultPrefix is the prefix of an installation that chose none.
const DefaultPrefix = "kn"

const maxPrefix = 16

// Names makes the names of one installation. All begin with its prefix, so installations can share a NATS account.
// A Names is a comparable value; make it with New.
type Names struct {
	prefix string
}

// New returns the names for a prefix of 1 to 16 letters, digits and dashes, or ErrPrefix.
func New(prefix string) (Names, error) {
	if len(prefix) == 0 || len(prefix) > maxPrefix {
		return Names{}, fmt.Errorf("%w %q: want 1 to %d characters", ErrPrefix, prefix, maxPrefix)
	}
	if prefix == "KV" || prefix == "OBJ" {
		return Names{}, fmt.Errorf("%w %q: NATS names the streams of its buckets so", ErrPrefix, prefix)
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

// ReportsBucket names the KV bucket of the processes' reports.
func (n Names) ReportsBucket() string { return n.prefix + "_reports" }

// PositionsBucket names the KV bucket of the places where the cursors stood.
func (n Names) PositionsBucket() string { return n.prefix + "_positions" }

// EventTypesBucket names the KV bucket of the types of events that were seen.
func (n Names) EventTypesBucket() string { return n.prefix + "_eventtypes" }

// Log names the stream with an address's events.
func (n Names) Log(k route.Key) string { return n.stream("log", k) }

// DirectedStream names the work queue with what is meant for one target of the address alone.
func (n Names) DirectedStream(k route.Key) string { return n.stream("directed", k) }

// DeadLetterStream names the stream with the address's events that have no other dead letter sink.
func (n Names) DeadLetterStream(k route.Key) string { return n.stream("dead", k) }

func (n Names) stream(use string, k route.Key) string {
	return bounded(n.prefix, use, token(string(k.Kind)), token(k.Namespace), token(k.Name))
}

// Consumer names a target's durable consumer. The name is unique among the consumers of one address's stream.
func (n Names) Consumer(t route.TargetKey) string {
	return bounded(t.Address.TargetKind(), token(t.Namespace), token(t.Name))
}

// SharedConsumer names the durable consumer of an address's stream that several targets share. No target's own has this name: those
// have a '_'.
func (n Names) SharedConsumer() string { return "shared" }

// ForeignConsumer names a target's durable consumer of a stream that is not ours, where others have theirs, and other addresses too.
func (n Names) ForeignConsumer(t route.TargetKey) string {
	return bounded(n.prefix, t.Address.TargetKind(), token(t.Address.Namespace), token(t.Address.Name), token(t.Namespace), token(t.Name))
}
