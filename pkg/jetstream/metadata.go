package jetstream

// Keys of the metadata on our streams and consumers.
const (
	MetaKind      = "eventing-jetstream.kind"
	MetaNamespace = "eventing-jetstream.namespace"
	MetaName      = "eventing-jetstream.name"
	MetaUID       = "eventing-jetstream.uid"
	MetaUse       = "eventing-jetstream.use"
	MetaOwner     = "eventing-jetstream.owner"
)

// sharedUse tells a consumer that targets share from one of a target's own, deadLetterUse a stream of dead letters from others.
const (
	SharedUse     = "shared"
	DeadLetterUse = "dead-letters"
)
