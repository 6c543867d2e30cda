package jetstream

import (
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	ejs "github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/zclient"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/share"
)

const (
	// DefaultMaxBytes is the byte limit of a log whose address names none: a NATS with 1 GiB has room for the streams of twelve.
	DefaultMaxBytes = 64 << 20
	// defaultMaxConsumers: nats-server 2.15 stops at 1,000 consumers a stream unless the stream has a positive limit of its own.
	defaultMaxConsumers = 1000
	// maxAckPending bounds what all filter processes together hold of one consumer. A process holds the most where targets share: for
	// slow ones 3/4 of share.Room, so that ten processes leave NATS something for the others.
	maxAckPending = 8 * share.Room
)

func metadata(a route.Address, use string) map[string]string {
	return map[string]string{
		ejs.MetaUse: use, ejs.MetaKind: string(a.Key.Kind), ejs.MetaNamespace: a.Key.Namespace, ejs.MetaName: a.Key.Name, ejs.MetaUID: a.UID, ejs.MetaOwner: a.Owner,
	}
}

func storageOf(a route.Address) jetstream.StorageType {
	if a.Log.Memory {
		return jetstream.MemoryStorage
	}
	return jetstream.FileStorage
}

func placementOf(a route.Address) *jetstream.Placement {
	if a.Log.Placement == (route.Placement{}) {
		return nil
	}
	p := &jetstream.Placement{Cluster: a.Log.Placement.Cluster}
	if a.Log.Placement.Tags != "" {
		p.Tags = strings.Split(a.Log.Placement.Tags, ",")
	}
	return p
}

// logConfig is the desired log of an address that has one of its own: what is stored stays until every cursor has passed it, and a
// full log refuses.
func logConfig(names naming.Names, a route.Address) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:         names.Log(a.Key),
		Description:  "events of " + a.Key.String(),
		Subjects:     append([]string{names.LogSubjects(a.Key)}, a.Log.Subjects...),
		Retention:    jetstream.LimitsPolicy,
		Discard:      jetstream.DiscardNew,
		MaxBytes:     a.Log.MaxBytes,
		FirstSeq:     a.Log.First, // at least
		MaxConsumers: positive(a.Log.MaxConsumers, defaultMaxConsumers),
		Replicas:     positive(a.Log.Replicas, 1),
		Storage:      storageOf(a),
		Placement:    placementOf(a),
		Duplicates:   max(ejs.DuplicateWindow, a.Log.DedupWindow),
		Metadata:     metadata(a, "log"),
	}
}

// directedConfig is the desired directed stream of an address. Message schedules rule out refusing what does not fit, so it
// has no byte limit of its own; the filter asks for its size before it parks (see Store.Park).
func directedConfig(names naming.Names, a route.Address) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              names.DirectedStream(a.Key),
		Description:       "events for one target alone, of " + a.Key.String(),
		Subjects:          []string{names.DirectedSubjects(a.Key), names.ParkedSubjects(a.Key)},
		Retention:         jetstream.WorkQueuePolicy,
		Discard:           jetstream.DiscardOld,
		MaxConsumers:      positive(a.Log.MaxConsumers, defaultMaxConsumers),
		Replicas:          positive(a.Log.Replicas, 1),
		Storage:           storageOf(a),
		Placement:         placementOf(a),
		Duplicates:        ejs.DuplicateWindow,
		AllowMsgSchedules: true,
		AllowRollup:       true,
		Metadata:          metadata(a, "directed"),
	}
}

// deadLetterConfig is the desired dead-letter stream of an address. It refuses when full: then the events stay where they are.
func deadLetterConfig(names naming.Names, a route.Address) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:         names.DeadLetterStream(a.Key),
		Description:  "dead letters of " + a.Key.String(),
		Subjects:     []string{names.DeadLetterSubjects(a.Key)},
		Retention:    jetstream.LimitsPolicy,
		Discard:      jetstream.DiscardNew,
		MaxBytes:     a.Log.DeadLetterBytes(),
		MaxConsumers: 100,
		Replicas:     positive(a.Log.Replicas, 1),
		Storage:      storageOf(a),
		Placement:    placementOf(a),
		Duplicates:   ejs.DuplicateWindow,
		Metadata:     metadata(a, ejs.DeadLetterUse),
	}
}

// cursorConfig is the desired consumer of a target that has one of its own in the log; startAt says where a new one begins. Deliveries
// are never counted against a limit by the server: only the filter decides when an event is given up. So it is with which events of our
// own logs are the target's: a filter that the server applied would change at another moment than that of the filter processes.
func (o *Owner) cursorConfig(t route.Target) jetstream.ConsumerConfig {
	config := o.leasedConsumer(o.consumerOf(t), t)
	if t.Stream != "" {
		config.FilterSubjects = o.foreignSubjects(t)
	}
	return config
}

// sharedConfig is the desired consumer that targets of an address share: of the whole log, and of no target alone.
func (o *Owner) sharedConfig(t route.Target) jetstream.ConsumerConfig {
	return o.commonConsumer(t.Key.Address, t.Owner, "cursor of its targets")
}

// directedConsumerConfig is the desired consumer of what is parked for, or sent to, single targets of the address.
func (o *Owner) directedConsumerConfig(a route.Address) jetstream.ConsumerConfig {
	config := o.commonConsumer(a.Key, a.Owner, "events for one target alone")
	config.DeliverPolicy = jetstream.DeliverAllPolicy
	config.FilterSubject = o.client.Names().DirectedSubjects(a.Key)
	return config
}

// commonConsumer is a consumer of several targets of the address.
func (o *Owner) commonConsumer(address route.Key, owner, what string) jetstream.ConsumerConfig {
	config := o.leasedConsumer(o.client.Names().SharedConsumer(), route.Target{})
	config.Description = what + ", of " + address.String()
	config.Metadata = map[string]string{
		ejs.MetaUse: ejs.SharedUse, ejs.MetaKind: string(address.Kind), ejs.MetaNamespace: address.Namespace, ejs.MetaName: address.Name, ejs.MetaOwner: owner,
	}
	return config
}

// startAt says where in the stream the cursor begins when it is made. A work queue, which only somebody else's stream can be, hands out
// what it has: NATS takes no other wish.
func startAt(config jetstream.ConsumerConfig, start route.Start, stream jetstream.StreamConfig) jetstream.ConsumerConfig {
	switch {
	case stream.Retention == jetstream.WorkQueuePolicy, start.Policy == route.StartAll:
		config.DeliverPolicy = jetstream.DeliverAllPolicy
	case start.Policy == route.StartLast:
		config.DeliverPolicy = jetstream.DeliverLastPolicy
	case start.Policy == route.StartSequence:
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, max(start.Sequence, 1)
	case start.Policy == route.StartTime:
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, start.Time
	default:
		config.DeliverPolicy = jetstream.DeliverNewPolicy
	}
	return config
}

func (o *Owner) leasedConsumer(name string, t route.Target) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       name,
		Description:   t.Key.String(),
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       o.client.Timing().AckWait,
		MaxDeliver:    -1,
		MaxAckPending: max(maxAckPending, 2*t.MaxInFlight),
		Metadata: map[string]string{
			ejs.MetaKind: t.Key.Address.TargetKind(), ejs.MetaNamespace: t.Key.Namespace, ejs.MetaName: t.Key.Name, ejs.MetaUID: t.UID, ejs.MetaOwner: t.Owner,
		},
	}
}

func positive(value, otherwise int) int {
	if value > 0 {
		return value
	}
	return otherwise
}
