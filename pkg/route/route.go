// Package route holds the routes: addresses, where events come in, and targets, where they go. The
// owner writes routes into a NATS KV bucket; ingress and filter read them.
package route

import (
	"cmp"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
)

// Kind is the kind of resource of an address; every name, subject and key contains it.
type Kind string

// The kinds of addresses.
const (
	// KindBroker is a Broker: its targets are Triggers, and replies go into its own log.
	KindBroker Kind = "broker"
	// KindChannel is a Channel: its targets are subscribers, without filters and each with a Reply,
	// and its events are not changed.
	KindChannel Kind = "channel"
)

// ChannelPathPrefix starts the ingress paths of Channels. They have three parts, so that a Broker
// in a namespace of this name keeps its path.
const ChannelPathPrefix = "channels"

// Key identifies an address.
type Key struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns the key as people write it: kind namespace/name.
func (k Key) String() string { return string(k.Kind) + " " + k.Namespace + "/" + k.Name }

// Path returns the ingress path of the address.
func (k Key) Path() string {
	path := "/" + k.Namespace + "/" + k.Name
	if k.Kind == KindChannel {
		return "/" + ChannelPathPrefix + path
	}
	return path
}

// TargetKind returns what a target of the address is called.
func (k Key) TargetKind() string {
	if k.Kind == KindChannel {
		return "subscriber"
	}
	return "trigger"
}

// TargetKey identifies a target of an address, by namespace and name of the Trigger or the
// Channel's Subscription; in a cluster a Subscription's UID is the Name.
type TargetKey struct {
	Address   Key    `json:"address"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns the key as people write it: trigger (or subscriber) namespace/name of the address.
func (k TargetKey) String() string {
	return k.Address.TargetKind() + " " + k.Namespace + "/" + k.Name + " of " + k.Address.String()
}

// Log is how an address stores its events.
type Log struct {
	// MaxBytes is the log's byte limit; 0 lets the owner choose by the limits of the NATS account.
	MaxBytes int64 `json:"maxBytes,omitempty"`
	// First is the first sequence that the log had when created; 0 if unknown or foreign (Stream).
	First    uint64 `json:"first,omitempty"`
	Replicas int    `json:"replicas,omitempty"`
	Memory   bool   `json:"memory,omitempty"`
	// History keeps delivered events at least this long; 0 does not keep them.
	History time.Duration `json:"history,omitempty"`
	// DedupWindow is for how long an event with a stored source and id is dropped; 0 turns it off.
	DedupWindow time.Duration `json:"dedupWindow,omitempty"`
	// DeadLetterMaxBytes is the byte limit of the dead-letter stream; 0 makes that a part of MaxBytes (see DeadLetterBytes).
	DeadLetterMaxBytes int64 `json:"deadLetterMaxBytes,omitempty"`
	// DeadLetterMaxAge is how long a dead letter is kept; 0 keeps each until somebody removes it.
	DeadLetterMaxAge time.Duration `json:"deadLetterMaxAge,omitempty"`
	// DiscardOldLetters has the oldest dead letters go when their stream is full, where otherwise the target whose events fail waits.
	DiscardOldLetters bool `json:"discardOldLetters,omitempty"`
	// MaxConsumers bounds the consumers per stream of the address; 0 is the owner's default.
	MaxConsumers int `json:"maxConsumers,omitempty"`
	// Placement chooses servers of the NATS cluster; the zero Placement leaves the choice to NATS.
	Placement Placement `json:"placement,omitzero"`
	// Stream names a foreign stream that is the address's log: others created it, and it is read
	// and written, but never changed, trimmed or deleted. Empty for a log of the address's own.
	Stream string `json:"stream,omitempty"`
	// Subjects are the subjects of NATS publishers. The address's own log listens to them too; of a
	// foreign stream only they are read, or all of it if there are none.
	Subjects []string `json:"subjects,omitempty"`
}

// Placement chooses among NATS servers.
type Placement struct {
	Cluster string `json:"cluster,omitempty"`
	// Tags are separated by commas; a server must have all of them.
	Tags string `json:"tags,omitempty"`
}

// NoHTTPS is the Refuse of an address that may take events only by https, and has no URL yet.
const NoHTTPS = "the feature transport-encryption is strict and there is no https address yet: every event is refused"

// Address is where events come in: one Broker or one Channel.
type Address struct {
	Key   Key    `json:"key"`
	UID   string `json:"uid,omitempty"`
	Owner string `json:"owner"`
	Log   Log    `json:"log"`
	// Hosts are the address's host names at the ingress, in lower case and without a port.
	Hosts []string `json:"hosts,omitempty"`
	// DeadLetter is the address's own sink, for display only: each target has its DeadLetter.
	DeadLetter *Destination `json:"deadLetter,omitempty"`
	// Notes are facts for readers of the address, such as a default that was applied.
	Notes []string `json:"notes,omitempty"`
	// Refuse is why the ingress takes no events: a restriction of senders that we cannot enforce.
	// Empty if it takes them. The answer is 403, which senders do not repeat, or 404 for NoHTTPS.
	Refuse string `json:"refuse,omitempty"`
	// Paused and PausedSince are as a Target's: why an annotation pauses all targets of the address, and since when.
	Paused      string    `json:"paused,omitempty"`
	PausedSince time.Time `json:"pausedSince,omitzero"`
	// RecordEventTypes makes ingress and filter record the types of events (package eventtype).
	RecordEventTypes bool `json:"recordEventTypes,omitempty"`
	// Counts is what this process counts of the address. A Table sets it; nil elsewhere.
	Counts *count.Address `json:"-"`
}

// Destination is a resolved HTTP endpoint.
type Destination struct {
	URL      string `json:"url"`
	CACerts  string `json:"caCerts,omitempty"`
	Audience string `json:"audience,omitempty"`
}

// Target is one place where an address's events go: one Trigger or one subscriber of a Channel.
type Target struct {
	Key   TargetKey `json:"key"`
	UID   string    `json:"uid,omitempty"`
	Owner string    `json:"owner"`
	// Name is the target's name if its key has a UID instead.
	Name string `json:"name,omitempty"`
	// Filter selects the events; the zero Spec takes all.
	Filter filter.Spec `json:"filter"`
	// Subscriber is nil while it is not resolved; NotReady says why.
	Subscriber *Destination `json:"subscriber,omitempty"`
	// Reply is where a Channel's replies go; nil drops them. If a Channel's target has no
	// subscriber, its events go there. A Broker ignores Reply: replies go into its log.
	Reply    *Destination    `json:"reply,omitempty"`
	Delivery delivery.Policy `json:"delivery"`
	// DeadLetter is nil without a sink: dead letters then go into the address's dead-letter stream.
	DeadLetter *Destination `json:"deadLetter,omitempty"`
	// DeadLetterCopy keeps what the sink is sent in the dead-letter stream as well.
	DeadLetterCopy bool `json:"deadLetterCopy,omitempty"`
	// MaxInFlight bounds the concurrent requests of one filter process to the target.
	MaxInFlight int `json:"maxInFlight,omitempty"`
	// NotReady is why nothing is delivered at present; empty if events are delivered.
	NotReady string `json:"notReady,omitempty"`
	// Paused is why the target is paused, by a handle or else by an annotation; empty if it is not.
	// The events of a paused target are parked, and delivered once it is resumed. Like any other
	// target it has a cursor, and is ready.
	Paused         string    `json:"paused,omitempty"`
	PausedSince    time.Time `json:"pausedSince,omitzero"`
	PausedByHandle bool      `json:"pausedByHandle,omitempty"`
	// Consumer names the durable consumer that is the target's cursor: the log's shared consumer,
	// or the target's own. It is empty until the target is first ready. From then on no event is
	// trimmed that the target has not got.
	Consumer string `json:"consumer,omitempty"`
	// After is the last sequence of the log before the target's events.
	After uint64 `json:"after,omitempty"`
	// Start is where the target's first cursor begins; the zero Start is the end of the log.
	Start Start `json:"start,omitzero"`
	// Stream and Subjects are those of the address's Log if that is a foreign stream.
	Stream   string   `json:"stream,omitempty"`
	Subjects []string `json:"subjects,omitempty"`
	// Counts is what this process counts of the target. A Table sets it; nil elsewhere.
	Counts *count.Target `json:"-"`
}

// Delivers reports whether the target's events are delivered. Otherwise they are parked.
func (t Target) Delivers() bool { return t.NotReady == "" && t.Paused == "" }

// Endpoint returns where the target's events are sent first; nil while unknown.
func (t Target) Endpoint() *Destination {
	if t.Subscriber == nil && t.Key.Address.Kind == KindChannel {
		return t.Reply
	}
	return t.Subscriber
}

// DisplayName returns the target's name within its namespace.
func (t Target) DisplayName() string { return cmp.Or(t.Name, t.Key.Name) }

// StartPolicy says where in the log a new cursor begins.
type StartPolicy string

// The places where a new cursor can begin.
const (
	// StartNew is the end of the log: only new events.
	StartNew StartPolicy = ""
	// StartAll is the first event in the log.
	StartAll StartPolicy = "all"
	// StartLast is the last event in the log.
	StartLast StartPolicy = "last"
	// StartSequence is the event at a sequence of the stream, or the next one after it.
	StartSequence StartPolicy = "sequence"
	// StartTime is the first event stored at a time or later.
	StartTime StartPolicy = "time"
)

// Start is where in the log a new cursor begins. LacksUntil is set if events from there on were
// already removed: the log had all events since LacksUntil.
type Start struct {
	Policy     StartPolicy `json:"policy,omitempty"`
	Sequence   uint64      `json:"sequence,omitempty"`
	Time       *time.Time  `json:"time,omitempty"`
	LacksUntil *time.Time  `json:"lacksUntil,omitempty"`
}

// DefaultMaxInFlight is the MaxInFlight of a target that sets none.
const DefaultMaxInFlight = 100
