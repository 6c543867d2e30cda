// Package destination resolves the Destinations of Brokers and Triggers.
package destination

import (
	"context"

	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/kmeta"
	"knative.dev/pkg/resolver"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/compile"
)

// Resolve finds the address of a Destination of the parent, which is reconciled again when that may have changed.
// A reference without a namespace is in the parent's.
func Resolve(ctx context.Context, r *resolver.URIResolver, d duckv1.Destination, parent kmeta.Accessor) (*duckv1.Addressable, error) {
	d = *d.DeepCopy()
	if d.Ref != nil && d.Ref.Namespace == "" {
		d.Ref.Namespace = parent.GetNamespace()
	}
	return r.AddressableFromDestinationV1(ctx, d, parent)
}

// At is the Destination of an address that is known.
func At(address *duckv1.Addressable) *duckv1.Destination {
	return &duckv1.Destination{URI: address.URL, CACerts: address.CACerts, Audience: address.Audience}
}

// Unresolved has pkg/compile say why a reference has no address; those that have one were replaced by At.
func Unresolved(why error) compile.Resolver {
	return func(duckv1.KReference) (string, error) { return "", why }
}
