// Package route holds the data plane's view of the world: addresses, where events come in, and targets, where they go.
// Routes are plain values that the owner writes into a NATS KV bucket and that ingress and filter read.
package route

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/delivery"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
)

// Kind tells what sort of resource an address is; it is part of every name, subject and key.
type Kind string

// KindBroker is an address made from a Broker.
const KindBroker Kind = "broker"

// Key identifies an address.
type Key struct {
	Kind      Kind   `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns the key as people write it: kind namespace/name.
func (k Key) String() string { return string(k.Kind) + " " + k.Namespace + "/" + k.Name }

// TargetKey identifies a target of an address: the Trigger's namespace and name.
type TargetKey struct {
	Address   Key    `json:"address"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns the key as people write it: trigger namespace/name of the address.
func (k TargetKey) String() string {
	return "trigger " + k.Namespace + "/" + k.Name + " of " + k.Address.String()
}

// Log is how an address stores its events.
type Log struct {
	// MaxBytes is the log's byte limit; 0 lets the owner choose from what the NATS account has.
	MaxBytes int64 `json:"maxBytes,omitempty"`
	Replicas int   `json:"replicas,omitempty"`
	Memory   bool  `json:"memory,omitempty"`
	// History keeps delivered events at least this long; 0 keeps none.
	History time.Duration `json:"history,omitempty"`
	// DedupWindow makes the ingress drop an event whose source and id were stored within this time; 0 turns it off.
	DedupWindow time.Duration `json:"dedupWindow,omitempty"`
	// MaxConsumers bounds the log's targets; 0 means the owner's default.
	MaxConsumers int `json:"maxConsumers,omitempty"`
	// Placement is where in the NATS cluster the log lives; the zero Placement leaves it to NATS.
	Placement Placement `json:"placement,omitzero"`
}

// Placement chooses among NATS servers.
type Placement struct {
	Cluster string `json:"cluster,omitempty"`
	// Tags are separated by commas; a server must have all of them.
	Tags string `json:"tags,omitempty"`
}

// Address is where events come in: one Broker (later also one Channel).
type Address struct {
	Key   Key    `json:"key"`
	UID   string `json:"uid,omitempty"`
	Owner string `json:"owner"`
	Log   Log    `json:"log"`
	// DeadLetter is the Broker's own sink, for display; targets carry the one that they use.
	DeadLetter *Destination `json:"deadLetter,omitempty"`
	// Notes are facts that a reader of this address should know, such as a default that was applied.
	Notes []string `json:"notes,omitempty"`
	// Refuse is why the ingress takes no event of anybody: something restricts who may send, and we cannot enforce that yet.
	// Empty when events are taken.
	Refuse string `json:"refuse,omitempty"`
	// RecordEventTypes asks ingress and filter to note which types of events the address takes (package eventtype).
	RecordEventTypes bool `json:"recordEventTypes,omitempty"`
}

// Destination is a resolved HTTP endpoint.
type Destination struct {
	URL      string `json:"url"`
	CACerts  string `json:"caCerts,omitempty"`
	Audience string `json:"audience,omitempty"`
}

// Target is one place where an address's events go: one Trigger (later also one channel subscriber).
type Target struct {
	Key   TargetKey `json:"key"`
	UID   string    `json:"uid,omitempty"`
	Owner string    `json:"owner"`
	// Filter selects the events; the zero Spec takes all.
	Filter filter.Spec `json:"filter"`
	// Subscriber is nil while it is not resolved; NotReady says why.
	Subscriber *Destination    `json:"subscriber,omitempty"`
	Delivery   delivery.Policy `json:"delivery"`
	// DeadLetter is nil when no sink is configured: such events are kept in the address's dead-letter stream.
	DeadLetter *Destination `json:"deadLetter,omitempty"`
	// MaxInFlight bounds the requests that run at one time in one filter process.
	MaxInFlight int `json:"maxInFlight,omitempty"`
	// NotReady is why nothing is delivered at present; empty when the target is to be served.
	NotReady string `json:"notReady,omitempty"`
	// Consumer names the durable consumer that is this target's cursor; empty until the target was ready for the first time.
	// A target with a cursor holds the log: nothing that it has not got is trimmed.
	Consumer string `json:"consumer,omitempty"`
}

// DefaultMaxInFlight is the number of requests in flight for a target that asks for none.
const DefaultMaxInFlight = 100
