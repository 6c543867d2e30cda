package describe

import (
	"context"
	"errors"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/handles"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/status"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Description is all that is known of one address or target.
type Description struct {
	// Address or Target is what is described; Targets are those of the address.
	Address *status.AddressStatus `json:",omitempty"`
	Target  *status.TargetStatus  `json:",omitempty"`
	Targets []status.TargetStatus `json:",omitempty"`
	// Since is when the first of the live processes began to count.
	Since    time.Time `json:",omitzero"`
	Settings []Setting
	Streams  []Stream
}

// Read reads all that is known of what is named. silent are the processes whose numbers are missing
// (see status.Status.Count). Errors: handles.ErrNotFound.
func Read(ctx context.Context, c *jetstream.Client, n handles.Named) (d Description, silent []string, err error) {
	all, err := status.Read(ctx, c)
	if errors.Is(err, natsjs.ErrBucketNotFound) { // before the first apply there is nothing
		err = handles.ErrNotFound
	}
	if err == nil {
		silent, err = all.Count(ctx, c, count.KeptFailures)
	}
	if err != nil {
		return Description{}, silent, err
	}
	d = find(all, n)
	switch {
	case d.Address != nil:
		d.Settings = settingsOfAddress(*d.Address)
	case d.Target != nil:
		d.Settings = settingsOfTarget(d.Target.Target)
	default:
		return Description{}, silent, handles.ErrNotFound
	}
	d.Streams, err = readStreams(ctx, c, d.streams(c.Names(), all.Addresses))
	return d, silent, err
}

// find finds what is named. Where several targets have the name, one that is ready is meant.
func find(all status.Status, n handles.Named) Description {
	d := Description{Since: all.Since}
	for _, a := range all.Addresses {
		if n.Is(route.Record{Address: &a.Address}) {
			d.Address = &a
		}
	}
	for _, t := range all.Targets {
		switch {
		case d.Address != nil && t.Key.Address == d.Address.Key:
			d.Targets = append(d.Targets, t)
		case n.Is(route.Record{Target: &t.Target}) && (d.Target == nil || t.Ready):
			d.Target = &t
		}
	}
	return d
}
