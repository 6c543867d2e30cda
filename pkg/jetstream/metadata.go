package jetstream

// Keys of the metadata on our streams and consumers.
const (
	metaKind      = "eventing-jetstream.kind"
	metaNamespace = "eventing-jetstream.namespace"
	metaName      = "eventing-jetstream.name"
	metaUID       = "eventing-jetstream.uid"
	metaUse       = "eventing-jetstream.use"
	metaOwner     = "eventing-jetstream.owner"
)

// sharedUse tells a consumer that targets share from one of a target's own, deadLetterUse a stream of dead letters from others.
const (
	sharedUse     = "shared"
	deadLetterUse = "dead-letters"
)
