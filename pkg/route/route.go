// Package route holds the data plane's view of the world: addresses, where events come in, and targets, where they go.
// Routes are plain values that the owner writes into a NATS KV bucket and that ingress and filter read.
package route

import (
	"cmp"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
)

// Kind tells what sort of resource an address is; it is part of every name, subject and key.
type Kind string

// The kinds of addresses.
const (
	// KindBroker is an address made from a Broker: its targets are Triggers, and their replies go into its own log.
	KindBroker Kind = "broker"
	// KindChannel is an address made from a Channel: its targets are subscribers without a filter, each with a place of its own
	// for replies, and its events pass as they are.
	KindChannel Kind = "channel"
)

// ChannelPathPrefix starts the ingress's paths of Channels, which have one part more than a Broker's: a Broker in a namespace of
// this name has its path all the same.
const ChannelPathPrefix = "channels"

// Key identifies an address.
type Key struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns the key as people write it: kind namespace/name.
func (k Key) String() string { return string(k.Kind) + " " + k.Namespace + "/" + k.Name }

// Path is where the ingress takes the address's events.
func (k Key) Path() string {
	path := "/" + k.Namespace + "/" + k.Name
	if k.Kind == KindChannel {
		return "/" + ChannelPathPrefix + path
	}
	return path
}

// TargetKind is what a target of such an address is called.
func (k Key) TargetKind() string {
	if k.Kind == KindChannel {
		return "subscriber"
	}
	return "trigger"
}

// TargetKey identifies a target of an address: the Trigger's namespace and name, or those of a Channel's Subscription, which in a
// cluster goes by its UID.
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
	// MaxBytes is the log's byte limit; 0 lets the owner choose from what the NATS account has.
	MaxBytes int64 `json:"maxBytes,omitempty"`
	// First is the sequence at which the log began when it was made, as the owner has read it: it has no lower one. 0 for a stream of
	// somebody else's, and where it is not known.
	First    uint64 `json:"first,omitempty"`
	Replicas int    `json:"replicas,omitempty"`
	Memory   bool   `json:"memory,omitempty"`
	// History keeps delivered events at least this long; 0 keeps none.
	History time.Duration `json:"history,omitempty"`
	// DedupWindow makes the ingress drop an event whose source and id were stored within this time; 0 turns it off.
	DedupWindow time.Duration `json:"dedupWindow,omitempty"`
	// MaxConsumers bounds the consumers of each of the address's streams; 0 means the owner's default.
	MaxConsumers int `json:"maxConsumers,omitempty"`
	// Placement is where in the NATS cluster the log lives; the zero Placement leaves it to NATS.
	Placement Placement `json:"placement,omitzero"`
	// Stream names a stream of somebody else's that is the address's log: it is read and written, and never made, changed, trimmed
	// or removed. Empty when the log is the address's own.
	Stream string `json:"stream,omitempty"`
	// Subjects are what NATS publishers send to: the address's own log listens to them too; of a stream of somebody else's they are
	// the part that is read, and none of them means all of it.
	Subjects []string `json:"subjects,omitempty"`
}

// Placement chooses among NATS servers.
type Placement struct {
	Cluster string `json:"cluster,omitempty"`
	// Tags are separated by commas; a server must have all of them.
	Tags string `json:"tags,omitempty"`
}

// NoHTTPS is the Refuse of an address in a cluster where events must be encrypted on their way: it has no address for them yet.
const NoHTTPS = "the feature transport-encryption is strict and there is no https address yet: every event is refused"

// Address is where events come in: one Broker or one Channel.
type Address struct {
	Key   Key    `json:"key"`
	UID   string `json:"uid,omitempty"`
	Owner string `json:"owner"`
	Log   Log    `json:"log"`
	// Hosts are names under which the ingress serves the address beside its path: in lower case, without a port.
	Hosts []string `json:"hosts,omitempty"`
	// DeadLetter is the address's own sink, for display; targets carry the one that they use.
	DeadLetter *Destination `json:"deadLetter,omitempty"`
	// Notes are facts that a reader of this address should know, such as a default that was applied.
	Notes []string `json:"notes,omitempty"`
	// Refuse is why the ingress takes no event of anybody: something restricts who may send, and we cannot enforce that yet.
	// Empty when events are taken. The ingress answers 403, which nobody repeats, and for NoHTTPS 404, which senders do.
	Refuse string `json:"refuse,omitempty"`
	// Paused and PausedSince are as a Target's: why an annotation pauses all targets of the address, and since when.
	Paused      string    `json:"paused,omitempty"`
	PausedSince time.Time `json:"pausedSince,omitzero"`
	// RecordEventTypes asks ingress and filter to note which types of events the address takes (package eventtype).
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
	// Name is what people call the target when its key has a UID instead.
	Name string `json:"name,omitempty"`
	// Filter selects the events; the zero Spec takes all.
	Filter filter.Spec `json:"filter"`
	// Subscriber is nil while it is not resolved; NotReady says why.
	Subscriber *Destination `json:"subscriber,omitempty"`
	// Reply is where a Channel's replies go; they are dropped when it is nil. A target of a Channel that has no subscriber has its
	// events sent there. A Broker's replies go into its log, whatever this is.
	Reply    *Destination    `json:"reply,omitempty"`
	Delivery delivery.Policy `json:"delivery"`
	// DeadLetter is nil when no sink is configured: such events are kept in the address's dead-letter stream.
	DeadLetter *Destination `json:"deadLetter,omitempty"`
	// MaxInFlight bounds the requests that run at one time in one filter process.
	MaxInFlight int `json:"maxInFlight,omitempty"`
	// NotReady is why nothing is delivered at present; empty when the target is to be served.
	NotReady string `json:"notReady,omitempty"`
	// Paused is why somebody has paused the target, by a handle or else by an annotation; empty when nobody has. Its events are parked for
	// it, and delivered once it is resumed. In all else a paused target is as any other: it has a cursor, and is ready.
	Paused         string    `json:"paused,omitempty"`
	PausedSince    time.Time `json:"pausedSince,omitzero"`
	PausedByHandle bool      `json:"pausedByHandle,omitempty"`
	// Consumer names the durable consumer that is this target's cursor; empty until the target was ready for the first time. It is that
	// of all targets of the log, or the target's own. A target with a cursor holds the log: nothing that it has not got is trimmed.
	Consumer string `json:"consumer,omitempty"`
	// After is the sequence of the log after which events are the target's.
	After uint64 `json:"after,omitempty"`
	// Start is where a cursor begins that is made for the first time; the zero Start is the end of the log.
	Start Start `json:"start,omitzero"`
	// Stream and Subjects are those of the address's Log when it is a stream of somebody else's.
	Stream   string   `json:"stream,omitempty"`
	Subjects []string `json:"subjects,omitempty"`
	// Counts is what this process counts of the target. A Table sets it; nil elsewhere.
	Counts *count.Target `json:"-"`
}

// Delivers reports whether the target's events are delivered as they come. Those of another one are parked.
func (t Target) Delivers() bool { return t.NotReady == "" && t.Paused == "" }

// Endpoint is where the target's events are sent first; nil while that is not known.
func (t Target) Endpoint() *Destination {
	if t.Subscriber == nil && t.Key.Address.Kind == KindChannel {
		return t.Reply
	}
	return t.Subscriber
}

// DisplayName is what people call the target, within its namespace.
func (t Target) DisplayName() string { return cmp.Or(t.Name, t.Key.Name) }

// StartPolicy says where in the log a new cursor begins.
type StartPolicy string

// The places where a new cursor can begin.
const (
	// StartNew is the end of the log: events that come from now on.
	StartNew StartPolicy = ""
	// StartAll is the first event that the log still has.
	StartAll StartPolicy = "all"
	// StartLast is the last event that the log has.
	StartLast StartPolicy = "last"
	// StartSequence is the event at a sequence of the stream, or the first one after it.
	StartSequence StartPolicy = "sequence"
	// StartTime is the first event that was stored at a time or after it.
	StartTime StartPolicy = "time"
)

// Start is where in the log a new cursor begins. LacksUntil is set when that did not have all that was wanted: it had what came since then.
type Start struct {
	Policy     StartPolicy `json:"policy,omitempty"`
	Sequence   uint64      `json:"sequence,omitempty"`
	Time       *time.Time  `json:"time,omitempty"`
	LacksUntil *time.Time  `json:"lacksUntil,omitempty"`
}

// DefaultMaxInFlight is the number of requests in flight for a target that asks for none.
const DefaultMaxInFlight = 100
