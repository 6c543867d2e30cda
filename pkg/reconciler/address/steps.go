// Package address holds the steps that Brokers and Channels have in common: both are addresses, with a log and a route in NATS.
package address

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	eventingv1alpha1listers "knative.dev/eventing/pkg/client/listers/eventing/v1alpha1"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/kmeta"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/apis/messaging/v1alpha1"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/owner"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/reconciler/readiness"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// RetryAfter is how long a step that failed for a reason which no watch reports waits before it is tried again.
const RetryAfter = 5 * time.Second

// Sooner returns the shorter of two times to wait, of which 0 is for ever.
func Sooner(a, b time.Duration) time.Duration {
	if a == 0 || (b > 0 && b < a) {
		return b
	}
	return a
}

// The conditions that these steps set. Brokers and Channels call them the same.
const (
	ConditionEventPolicies = v1alpha1.ConditionEventPolicies
	ConditionNATS          = v1alpha1.ConditionNATS
	ConditionStream        = v1alpha1.ConditionStream
)

// Reasons of conditions.
const (
	ReasonPolicyUnenforced = "EventPolicyNotEnforced"
	ReasonOIDC             = "OIDCNotSupported"
	ReasonNoRestriction    = "NoEventPolicy"
	ReasonNotRefused       = "RefusalNotStored"
	ReasonHTTPOnly         = "HTTPOnly"
	ReasonStrictTLS        = "StrictTransportEncryptionNotSupported"
	ReasonNATSAway         = "NATSUnavailable"
	ReasonNATSUnknown      = "NATSNotSeenYet"
	ReasonForeign          = "RouteOfAnotherOwner"
	ReasonImmutable        = "ImmutableField"
	ReasonNotStored        = "StreamNotMade"
	ReasonNoDeadLetters    = "DeadLetterStreamNotMade"
	ReasonLettersKept      = "DeadLetterLimitNotApplied"
	ReasonPredecessor      = "WaitsForPredecessor"
	ReasonRemade           = "StreamRemade"
)

// Routes makes the log and the route of an address; it is what owner.Owner does.
type Routes interface {
	PutAddress(ctx context.Context, a route.Address) (owner.Applied, error)
	EndPredecessor(ctx context.Context, a route.Address, before *owner.PredecessorError) (until time.Time, err error)
	Refuse(ctx context.Context, key route.Key, why string) error
	Connected() bool
}

// Object is a Broker or a Channel.
type Object interface {
	runtime.Object
	duckv1.KRShaped
	kmeta.OwnerRefable
}

// Resource is the Broker or Channel of a reconciliation, with its conditions.
type Resource struct {
	Object
	Conditions apis.ConditionManager
}

// Of returns the object with its conditions.
func Of(object Object) Resource {
	return Resource{object, object.GetConditionSet().Manage(object.GetStatus())}
}

// Key is the resource's namespace and name.
func (r Resource) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: r.GetNamespace(), Name: r.GetName()}
}

// isAsKnown reports whether the condition was seen to be true of the resource as it is now: what was seen of another generation says
// nothing of this one.
func (r Resource) isAsKnown(c apis.ConditionType) bool {
	return r.GetStatus().ObservedGeneration == r.GetGeneration() && r.Conditions.GetCondition(c).IsTrue()
}

func (r Resource) kind() string { return r.GetGroupVersionKind().Kind }

// Steps are the steps, with what they need.
type Steps struct {
	Routes   Routes
	Board    *readiness.Board
	Policies eventingv1alpha1listers.EventPolicyLister
	// Live reads the UID of a resource past every cache.
	Live func(context.Context, types.NamespacedName) (types.UID, error)
}

// CheckNATS sets ConditionNATS and reports whether NATS can be used. The other conditions stay as they were known while it cannot.
func (s Steps) CheckNATS(r Resource) bool {
	known, outage := s.Board.State()
	switch {
	case outage != nil:
		r.Conditions.MarkFalse(ConditionNATS, ReasonNATSAway, "NATS cannot be used since %s: %s", outage.Since.UTC().Format(time.RFC3339), outage.Why)
	case !known:
		if !r.isAsKnown(ConditionNATS) {
			r.Conditions.MarkUnknown(ConditionNATS, ReasonNATSUnknown, "NATS has not answered yet")
		}
	default:
		r.Conditions.MarkTrue(ConditionNATS)
		return true
	}
	return false
}

// Put is what became of an address.
type Put struct {
	// Applied is nil when the route is not written.
	Applied *owner.Applied
	// Retry is when to try again although nothing changes; 0 is never.
	Retry time.Duration
}

// PutRoute sets ConditionStream: it makes the log and writes the route.
func (s Steps) PutRoute(ctx context.Context, r Resource, a route.Address) Put {
	applied, err := s.Routes.PutAddress(ctx, a)
	var before *owner.PredecessorError
	if errors.As(err, &before) {
		return Put{Retry: s.awaitPredecessor(ctx, r, predecessor{a, before})}
	}
	if err != nil {
		// NATS went while it was asked: that is for ConditionNATS to say, and what was known of the log stays.
		if s.Routes.Connected() || !r.isAsKnown(ConditionStream) {
			r.Conditions.MarkFalse(ConditionStream, putReason(err), "%v", err)
		}
		return Put{Retry: RetryAfter}
	}
	if applied.Lacking != nil {
		r.Conditions.MarkFalse(ConditionStream, lackingReason(applied.Lacking), "%v", applied.Lacking)
		return Put{Applied: &applied, Retry: RetryAfter}
	}
	return Put{Applied: &applied, Retry: markStream(ctx, r, applied.LogMade)}
}

// HasLog tells, by ConditionStream, whether there is a log that cursors can be made in, be the dead-letter stream as it should be or not.
func HasLog(stream *apis.Condition) bool {
	return stream.IsTrue() || stream.IsFalse() && (stream.Reason == ReasonNoDeadLetters || stream.Reason == ReasonLettersKept)
}

func lackingReason(err error) string {
	if errors.Is(err, owner.ErrHoldsMore) {
		return ReasonLettersKept
	}
	return ReasonNoDeadLetters
}

func putReason(err error) string {
	switch {
	case errors.Is(err, owner.ErrForeignRoute):
		return ReasonForeign
	case errors.Is(err, owner.ErrImmutable):
		return ReasonImmutable
	}
	return ReasonNotStored
}
