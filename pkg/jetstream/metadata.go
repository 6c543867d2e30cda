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

// Values of MetaUse, for a consumer that targets share and for a stream of dead letters.
const (
	SharedUse     = "shared"
	DeadLetterUse = "dead-letters"
)
