package owner

import (
	"math"
	"strings"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

const (
	// DefaultMaxBytes is the byte limit of a log whose address names none: a NATS with 1 GiB has room for the streams of twelve.
	DefaultMaxBytes = 64 << 20
	// DefaultMaxConsumers is a limit of our own: without a positive one nats-server 2.15 stops at 1,000 consumers of a stream.
	DefaultMaxConsumers = 1000
	// maxAckPending bounds what all filter processes together hold of one consumer. A process holds the most where targets share: for
	// slow ones 3/4 of share.Room, so that ten processes leave NATS something for the others.
	maxAckPending = 8 * share.Room
	// besidesLetter is more than a message takes in a stream beside its headers and data: most of that is its subject.
	besidesLetter = 4 << 10
)

func metadata(a route.Address, use string) map[string]string {
	return map[string]string{
		jetstream.MetaUse: use, jetstream.MetaKind: string(a.Key.Kind), jetstream.MetaNamespace: a.Key.Namespace, jetstream.MetaName: a.Key.Name, jetstream.MetaUID: a.UID, jetstream.MetaOwner: a.Owner,
	}
}

func storageOf(a route.Address) natsjs.StorageType {
	if a.Log.Memory {
		return natsjs.MemoryStorage
	}
	return natsjs.FileStorage
}

func placementOf(a route.Address) *natsjs.Placement {
	if a.Log.Placement == (route.Placement{}) {
		return nil
	}
	p := &natsjs.Placement{Cluster: a.Log.Placement.Cluster}
	if a.Log.Placement.Tags != "" {
		p.Tags = strings.Split(a.Log.Placement.Tags, ",")
	}
	return p
}

// logConfig is the desired log of an address that has one of its own: what is stored stays until every cursor has passed it, and a
// full log refuses.
func logConfig(names naming.Names, a route.Address) natsjs.StreamConfig {
	return natsjs.StreamConfig{
		Name:         names.Log(a.Key),
		Description:  "events of " + a.Key.String(),
		Subjects:     append([]string{names.LogSubjects(a.Key)}, a.Log.Subjects...),
		Retention:    natsjs.LimitsPolicy,
		Discard:      natsjs.DiscardNew,
		MaxBytes:     a.Log.MaxBytes,
		FirstSeq:     a.Log.First, // at least
		MaxConsumers: positive(a.Log.MaxConsumers, DefaultMaxConsumers),
		Replicas:     positive(a.Log.Replicas, 1),
		Storage:      storageOf(a),
		Placement:    placementOf(a),
		Duplicates:   max(jetstream.DuplicateWindow, a.Log.DedupWindow),
		Metadata:     metadata(a, "log"),
	}
}

// directedConfig is the desired directed stream of an address. Message schedules rule out refusing what does not fit, so it
// has no byte limit of its own; the filter asks for its size before it parks (see Store.Park).
func directedConfig(names naming.Names, a route.Address) natsjs.StreamConfig {
	return natsjs.StreamConfig{
		Name:              names.DirectedStream(a.Key),
		Description:       "events for one target alone, of " + a.Key.String(),
		Subjects:          []string{names.DirectedSubjects(a.Key), names.ParkedSubjects(a.Key)},
		Retention:         natsjs.WorkQueuePolicy,
		Discard:           natsjs.DiscardOld,
		MaxConsumers:      positive(a.Log.MaxConsumers, DefaultMaxConsumers),
		Replicas:          positive(a.Log.Replicas, 1),
		Storage:           storageOf(a),
		Placement:         placementOf(a),
		Duplicates:        jetstream.DuplicateWindow,
		AllowMsgSchedules: true,
		AllowRollup:       true,
		Metadata:          metadata(a, "directed"),
	}
}

// deadLetterConfig is the desired dead-letter stream of an address. It refuses when full: then the events stay where they are. Where the
// oldest go instead, a letter larger than the stream would go as well: the server refuses that one for its size, and a reference is kept.
func deadLetterConfig(names naming.Names, a route.Address) natsjs.StreamConfig {
	config := natsjs.StreamConfig{
		Name:         names.DeadLetterStream(a.Key),
		Description:  "dead letters of " + a.Key.String(),
		Subjects:     []string{names.DeadLetterSubjects(a.Key)},
		Retention:    natsjs.LimitsPolicy,
		Discard:      natsjs.DiscardNew,
		MaxBytes:     a.Log.DeadLetterBytes(),
		MaxAge:       a.Log.DeadLetterMaxAge,
		MaxConsumers: 100,
		Replicas:     positive(a.Log.Replicas, 1),
		Storage:      storageOf(a),
		Placement:    placementOf(a),
		Duplicates:   jetstream.DuplicateWindow,
		MaxMsgSize:   -1,
		Metadata:     metadata(a, jetstream.DeadLetterUse),
	}
	if a.Log.DiscardOldLetters {
		config.Discard = natsjs.DiscardOld
		config.MaxMsgSize = int32(min(max(config.MaxBytes-besidesLetter, config.MaxBytes/2, 1), math.MaxInt32)) //nolint:gosec // it fits
	}
	return config
}

// cursorConfig is the desired consumer of a target that has one of its own in the log; startAt says where a new one begins. Deliveries
// are never counted against a limit by the server: only the filter decides when an event is given up. So it is with which events of our
// own logs are the target's: a filter that the server applied would change at another moment than that of the filter processes.
func (o *Owner) cursorConfig(t route.Target) natsjs.ConsumerConfig {
	config := o.leasedConsumer(o.consumerOf(t), t)
	if t.Stream != "" {
		config.FilterSubjects = o.foreignSubjects(t)
	}
	return config
}

// sharedConfig is the desired consumer that targets of an address share: of the whole log, and of no target alone.
func (o *Owner) sharedConfig(t route.Target) natsjs.ConsumerConfig {
	return o.commonConsumer(t.Key.Address, t.Owner, "cursor of its targets")
}

// directedConsumerConfig is the desired consumer of what is parked for, or sent to, single targets of the address.
func (o *Owner) directedConsumerConfig(a route.Address) natsjs.ConsumerConfig {
	config := o.commonConsumer(a.Key, a.Owner, "events for one target alone")
	config.DeliverPolicy = natsjs.DeliverAllPolicy
	config.FilterSubject = o.client.Names().DirectedSubjects(a.Key)
	return config
}

// commonConsumer is a consumer of several targets of the address.
func (o *Owner) commonConsumer(address route.Key, owner, what string) natsjs.ConsumerConfig {
	config := o.leasedConsumer(o.client.Names().SharedConsumer(), route.Target{})
	config.Description = what + ", of " + address.String()
	config.Metadata = map[string]string{
		jetstream.MetaUse: jetstream.SharedUse, jetstream.MetaKind: string(address.Kind), jetstream.MetaNamespace: address.Namespace, jetstream.MetaName: address.Name, jetstream.MetaOwner: owner,
	}
	return config
}

// startAt says where in the stream the cursor begins when it is made. A work queue, which only somebody else's stream can be, hands out
// what it has: NATS takes no other wish.
func startAt(config natsjs.ConsumerConfig, start route.Start, stream natsjs.StreamConfig) natsjs.ConsumerConfig {
	switch {
	case stream.Retention == natsjs.WorkQueuePolicy, start.Policy == route.StartAll:
		config.DeliverPolicy = natsjs.DeliverAllPolicy
	case start.Policy == route.StartLast:
		config.DeliverPolicy = natsjs.DeliverLastPolicy
	case start.Policy == route.StartSequence:
		config.DeliverPolicy, config.OptStartSeq = natsjs.DeliverByStartSequencePolicy, max(start.Sequence, 1)
	case start.Policy == route.StartTime:
		config.DeliverPolicy, config.OptStartTime = natsjs.DeliverByStartTimePolicy, start.Time
	default:
		config.DeliverPolicy = natsjs.DeliverNewPolicy
	}
	return config
}

func (o *Owner) leasedConsumer(name string, t route.Target) natsjs.ConsumerConfig {
	return natsjs.ConsumerConfig{
		Durable:       name,
		Description:   t.Key.String(),
		AckPolicy:     natsjs.AckExplicitPolicy,
		AckWait:       o.client.Timing().AckWait,
		MaxDeliver:    -1,
		MaxAckPending: max(maxAckPending, 2*t.MaxInFlight),
		Metadata: map[string]string{
			jetstream.MetaKind: t.Key.Address.TargetKind(), jetstream.MetaNamespace: t.Key.Namespace, jetstream.MetaName: t.Key.Name, jetstream.MetaUID: t.UID, jetstream.MetaOwner: t.Owner,
		},
	}
}

func positive(value, otherwise int) int {
	if value > 0 {
		return value
	}
	return otherwise
}
