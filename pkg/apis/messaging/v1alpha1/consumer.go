package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ConsumerConfigTemplate says how each subscriber of a channel reads the stream.
type ConsumerConfigTemplate struct {
	// DeliverPolicy is where a new subscriber starts: New, as without it, at the events that come from then on; All at the
	// oldest event that is there; Last at the newest one; ByStartSequence and ByStartTime where the next two fields say. A
	// subscriber that has started goes on where it stands. It cannot be changed.
	// +optional
	DeliverPolicy DeliverPolicy `json:"deliverPolicy,omitempty"`

	// OptStartSeq is the first sequence of the stream that a new subscriber gets, with ByStartSequence. It cannot be changed.
	// +optional
	OptStartSeq uint64 `json:"optStartSeq,omitempty"`

	// OptStartTime is the time whose events a new subscriber gets first, with ByStartTime. It cannot be changed.
	// +optional
	OptStartTime *metav1.Time `json:"optStartTime,omitempty"`

	// AckWait is ignored: a request may take as long as delivery.timeout says.
	// +optional
	AckWait *metav1.Duration `json:"ackWait,omitempty"`

	// MaxDeliver is ignored: delivery.retry says how often an event is sent.
	// +optional
	MaxDeliver int `json:"maxDeliver,omitempty"`

	// FilterSubject is ignored: a subscriber of a channel gets every event.
	// +optional
	FilterSubject string `json:"filterSubject,omitempty"`

	// ReplayPolicy: Instant, as without it, is what is done. Original is ignored.
	// +optional
	ReplayPolicy ReplayPolicy `json:"replayPolicy,omitempty"`

	// RateLimitBPS is ignored; maxAckPending bounds what a subscriber gets at one time.
	// +optional
	RateLimitBPS uint64 `json:"rateLimitBPS,omitempty"`

	// SampleFrequency is ignored: the data plane has metrics of its own.
	// +optional
	SampleFrequency string `json:"sampleFrequency,omitempty"`

	// MaxAckPending bounds the requests that one filter process makes to a subscriber at one time: up to 10000. Without it, or
	// with 0 or -1, 100.
	// +optional
	MaxAckPending int `json:"maxAckPending,omitempty"`

	// ConsumerType: Pull, as without it, is what subscribers have. Push is ignored.
	// +optional
	ConsumerType ConsumerType `json:"consumerType,omitempty"`

	// FetchBatchSize is ignored: events are fetched as subscribers take them.
	// +optional
	FetchBatchSize int `json:"fetchBatchSize,omitempty"`

	// FetchMaxWait is ignored, in nanoseconds.
	// +optional
	FetchMaxWait int64 `json:"fetchMaxWait,omitempty"`
}

// DeliverPolicy is where in a stream a new subscriber starts.
type DeliverPolicy string

// The places where a new subscriber may start.
const (
	AllDeliverPolicy             DeliverPolicy = "All"
	LastDeliverPolicy            DeliverPolicy = "Last"
	NewDeliverPolicy             DeliverPolicy = "New"
	ByStartSequenceDeliverPolicy DeliverPolicy = "ByStartSequence"
	ByStartTimeDeliverPolicy     DeliverPolicy = "ByStartTime"
)

// ReplayPolicy is how fast events of the past are delivered.
type ReplayPolicy string

// As fast as the subscriber takes them, or as fast as they once came.
const (
	InstantReplayPolicy  ReplayPolicy = "Instant"
	OriginalReplayPolicy ReplayPolicy = "Original"
)

// ConsumerType is who asks for the next message.
type ConsumerType string

// The server pushes, or the client pulls.
const (
	PushConsumerType ConsumerType = "Push"
	PullConsumerType ConsumerType = "Pull"
)
