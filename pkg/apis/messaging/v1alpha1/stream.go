package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Stream says how a channel's events are stored.
type Stream struct {
	// OverrideName is the name of a stream that somebody else has made and looks after. The channel reads it and adds its
	// events to it; it changes no setting of it, trims nothing from it and leaves it in place when the channel is deleted.
	// Without it the channel has a stream of its own. It cannot be changed.
	// +optional
	OverrideName string `json:"overrideName,omitempty"`

	// Config is how the channel's own stream is set up. Of a stream that overrideName names, nothing is set up: all of it but
	// additionalSubjects is ignored then.
	// +optional
	Config *StreamConfig `json:"config,omitempty"`
}

// StreamConfig is how a channel's own stream is set up. The stream holds each event until every subscriber has it, and refuses
// new ones rather than drop one of them: settings that would lose an event are ignored.
type StreamConfig struct {
	// AdditionalSubjects are more NATS subjects that the stream takes messages from. A message that is not a CloudEvent
	// becomes one by a documented rule. Of a stream that overrideName names they are the part that is read; without them all
	// of it is.
	// +optional
	AdditionalSubjects []string `json:"additionalSubjects,omitempty"`

	// Retention: Limits, as without it, is what the stream has. Interest and Work are ignored. It cannot be changed.
	// +optional
	Retention RetentionPolicy `json:"retention,omitempty"`

	// MaxConsumers bounds the channel's subscribers. Without it, or with 0 or -1, they are bounded by the default. It cannot be
	// changed.
	// +optional
	MaxConsumers int `json:"maxConsumers,omitempty"`

	// MaxMsgs is ignored: the stream is bounded in bytes.
	// +optional
	MaxMsgs int64 `json:"maxMsgs,omitempty"`

	// MaxBytes is the size of the stream. A full one refuses events until subscribers have got some. Without it, or with 0 or
	// -1, it is chosen from what the NATS account has.
	// +optional
	MaxBytes int64 `json:"maxBytes,omitempty"`

	// Discard: New, as without it, is what the stream does. Old is ignored.
	// +optional
	Discard DiscardPolicy `json:"discard,omitempty"`

	// MaxAge is how long an event is kept after every subscriber has it, for new subscribers that start in the past. An event
	// that some subscriber has not got yet stays, however old it is.
	// +optional
	MaxAge *metav1.Duration `json:"maxAge,omitempty"`

	// MaxMsgSize is ignored: how large an event may be is a setting of NATS and of the ingress.
	// +optional
	MaxMsgSize int32 `json:"maxMsgSize,omitempty"`

	// Storage is File, as without it, or Memory, which a restart of NATS empties. It cannot be changed.
	// +optional
	Storage Storage `json:"storage,omitempty"`

	// Replicas is the number of NATS servers that hold the stream. Without it, the controller's default.
	// +optional
	Replicas int `json:"replicas,omitempty"`

	// NoAck is ignored: an event is accepted only when NATS has acknowledged that it is stored.
	// +optional
	NoAck bool `json:"noAck,omitempty"`

	// DuplicateWindow drops an event whose source and id were stored within this time. Without it no event is dropped.
	// +optional
	DuplicateWindow *metav1.Duration `json:"duplicateWindow,omitempty"`

	// Placement chooses the NATS servers that hold the stream.
	// +optional
	Placement *StreamPlacement `json:"placement,omitempty"`

	// Mirror is ignored: a mirror takes no events.
	// +optional
	Mirror *StreamSource `json:"mirror,omitempty"`

	// Sources is ignored: have the other streams' publishers use additionalSubjects, or adopt the stream with overrideName.
	// +optional
	Sources []StreamSource `json:"sources,omitempty"`
}

// StreamPlacement chooses NATS servers.
type StreamPlacement struct {
	// Cluster is the name of a NATS cluster.
	// +optional
	Cluster string `json:"cluster,omitempty"`

	// Tags are what each server must have all of.
	// +optional
	Tags []string `json:"tags,omitempty"`
}

// StreamSource is another stream. It is ignored where it may be given.
type StreamSource struct {
	// Name of the stream.
	Name string `json:"name,omitempty"`

	// OptStartSeq is the first sequence that is taken over.
	// +optional
	OptStartSeq uint64 `json:"optStartSeq,omitempty"`

	// OptStartTime is the time from which messages are taken over.
	// +optional
	OptStartTime *metav1.Time `json:"optStartTime,omitempty"`

	// FilterSubject is the subject of the messages that are taken over.
	// +optional
	FilterSubject string `json:"filterSubject,omitempty"`
}

// RetentionPolicy is which messages a stream keeps.
type RetentionPolicy string

// The retention policies that manifests may name.
const (
	LimitsRetentionPolicy   RetentionPolicy = "Limits"
	InterestRetentionPolicy RetentionPolicy = "Interest"
	WorkRetentionPolicy     RetentionPolicy = "Work"
)

// DiscardPolicy is what a full stream does.
type DiscardPolicy string

// A full stream drops its oldest message, or refuses the new one.
const (
	OldDiscardPolicy DiscardPolicy = "Old"
	NewDiscardPolicy DiscardPolicy = "New"
)

// Storage is where NATS keeps a stream.
type Storage string

// The storages.
const (
	FileStorage   Storage = "File"
	MemoryStorage Storage = "Memory"
)
