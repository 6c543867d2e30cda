package manifest

import "github.com/eventing-jetstream/eventing-jetstream/pkg/route"

// Desired is the state of the world that the files ask for, in the order of the files.
type Desired struct {
	Addresses []route.Address
	Targets   []route.Target
	// Notes are lines for people: defaults that were applied, Triggers and Subscriptions that are not ready.
	Notes []string
}

// Resources are what Load found.
type Resources struct {
	// Ignored are lines for people about resources that are somebody else's, or belong to a Broker that is not there.
	Ignored []string

	desired Desired
	paths   []string
	input   input
	options LoadOptions
	digest  digest
}

// Desired returns the routes. The slices are shared: nobody may write to them.
func (r *Resources) Desired() Desired { return r.desired }
