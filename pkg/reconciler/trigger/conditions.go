package trigger

// The conditions of a Trigger are upstream's, for all Broker classes; each has one step of the reconciler that sets it:
// BrokerReady, SubscriberResolved, DeadLetterSinkResolved, DependencyReady, OIDCIdentityCreated, and SubscriptionReady, which
// says that the cursor exists and that all live filters serve it.

// Reasons of conditions.
const (
	ReasonBrokerMissing     = "BrokerDoesNotExist"
	ReasonUnresolved        = "SubscriberUnresolved"
	ReasonSinkUnresolved    = "DeadLetterSinkUnresolved"
	ReasonDependency        = "DependencyInvalid"
	ReasonDependencyMissing = "DependencyDoesNotExist"
	ReasonDependencyUnknown = "DependencyUnknown"
	ReasonDependencyStale   = "DependencyNotReconciled"
	ReasonOIDC              = "OIDCNotSupported"
	ReasonInvalid           = "TriggerInvalid"
	ReasonForeign           = "RouteOfAnotherOwner"
	ReasonNoCursor          = "ConsumerNotMade"
	ReasonNATSAway          = "NATSUnavailable"
	ReasonWaitsForBroker    = "WaitsForBroker"
	ReasonNotDelivering     = "NotDelivering"
)
