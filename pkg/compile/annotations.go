package compile

import "knative.dev/eventing/pkg/apis/eventing"

// BrokerClass is the class of the Brokers that we serve; a Broker of any other class is somebody else's.
const BrokerClass = "NatsJetStreamBroker"

// ClassAnnotation is the annotation on a Broker that names its class.
const ClassAnnotation = eventing.BrokerClassKey

// AnnotationPrefix starts every annotation of ours. One that starts so and is not listed here is an error: it would
// otherwise be a setting that silently does nothing.
const AnnotationPrefix = "jetstream.eventing.knative.dev/"

// PausedAnnotation pauses the Trigger or Subscription that it is on, or all targets of the Broker or Channel that it is on: events
// wait until the annotation is removed, and requests that were begun end. Its value says why. A cluster's Subscriptions are paused by
// their Channel alone: core hands no annotation of theirs on.
const PausedAnnotation = AnnotationPrefix + pausedSetting

// StartAnnotation is where in the log a Trigger begins when it is made, or a Subscription of files: new, as without the annotation; all
// that the log has; last; a time as in RFC 3339; a duration before the resource was made; or seq:N, a sequence of the stream. It has no
// effect on one that is there already. On a Channel of files it is for all its Subscriptions.
const StartAnnotation = AnnotationPrefix + startSetting

// DeadLetterCopyAnnotation says with "true" on a Trigger, or on a Subscription of files, that each of its dead letters is kept in the dead-letter stream
// too when a dead letter sink gets them. On a Broker or Channel it is for all targets that do not say "false" themselves. A copy for which
// the stream has no room is left out.
const DeadLetterCopyAnnotation = AnnotationPrefix + copySetting

const (
	pausedSetting = "paused"
	startSetting  = "start"
	copySetting   = "dead-letter-copy"
)

// Annotations on a Trigger.
const (
	// MaxInFlightAnnotation bounds the requests that one filter process makes to the subscriber at one time: 1 to 10000.
	// Without it, route.DefaultMaxInFlight.
	MaxInFlightAnnotation = AnnotationPrefix + "max-in-flight"
)

// Annotations on a Broker. Durations are written as in a delivery spec ("PT1H") or as Go writes them ("1h30m").
const (
	// MaxBytesAnnotation is the byte limit of the Broker's log, a Kubernetes quantity without exponent ("512Mi").
	// Without it the owner chooses from what the NATS account has.
	MaxBytesAnnotation = AnnotationPrefix + "max-bytes"
	// ReplicasAnnotation is the number of NATS servers that hold the log: 1, 3 or 5. Without it the owner chooses.
	ReplicasAnnotation = AnnotationPrefix + "replicas"
	// StorageAnnotation is where NATS keeps the log: "file", as without it, or "memory", which a restart of NATS empties.
	StorageAnnotation = AnnotationPrefix + "storage"
	// HistoryAnnotation keeps delivered events at least this long, so that they can be replayed. Without it, none are kept.
	HistoryAnnotation = AnnotationPrefix + "history"
	// DedupWindowAnnotation turns de-duplication by source and id on: an event whose source and id were stored within this
	// time is dropped. Without it every accepted event is delivered.
	DedupWindowAnnotation = AnnotationPrefix + "dedup-window"
	// MaxConsumersAnnotation bounds the consumers of each stream of the Broker: 1 to 100000. Without it, the owner's default.
	MaxConsumersAnnotation = AnnotationPrefix + "max-consumers"
	// DeadLetterMaxBytesAnnotation is the byte limit of the dead-letter stream, written as that of the log. Without it a quarter of that,
	// and at least 2 MiB, up to the log's. A limit below what the stream holds is not applied until that is removed.
	DeadLetterMaxBytesAnnotation = AnnotationPrefix + "dead-letter-max-bytes"
	// DeadLetterMaxAgeAnnotation is how long a dead letter is kept: a minute at least, or "0s", as without it, for as long as nobody
	// removes it. An age that would drop letters which are there is not applied until those are removed.
	DeadLetterMaxAgeAnnotation = AnnotationPrefix + "dead-letter-max-age"
	// DeadLetterWhenFullAnnotation is what happens when the dead-letter stream is full: "hold", as without it, has the target wait whose
	// events fail; "discard-oldest" loses the oldest letters.
	DeadLetterWhenFullAnnotation = AnnotationPrefix + "dead-letter-when-full"
)
