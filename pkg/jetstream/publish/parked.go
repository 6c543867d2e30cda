package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Parked is what the directed stream of an address holds: in all, and for each of its live targets.
type Parked struct {
	Bytes  uint64
	Events map[route.TargetKey]uint64
}

// ParkedFor returns what the address's directed stream holds for the live targets of these records.
func ParkedFor(ctx context.Context, c *jetstream.Client, key route.Key, records []routes.StoredRecord) (Parked, error) {
	name := c.Names().DirectedStream(key)
	p := Parked{Events: map[route.TargetKey]uint64{}}
	stream, err := c.JetStream().Stream(ctx, name)
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		return p, nil
	}
	var info *natsjs.StreamInfo
	if err == nil {
		info, err = stream.Info(ctx, natsjs.WithSubjectFilter(">"))
	}
	if err != nil {
		return p, fmt.Errorf("read stream %s: %w", name, err)
	}
	p.Bytes = info.State.Bytes
	for _, r := range records {
		if r.Target == nil || r.DeletedAt != nil {
			continue
		}
		prefix := strings.TrimSuffix(c.Names().ParkedSubjectsOf(r.Target.Key), "*")
		for subject, count := range info.State.Subjects {
			if subject == c.Names().DirectedSubject(r.Target.Key) || strings.HasPrefix(subject, prefix) {
				p.Events[r.Target.Key] += count
			}
		}
	}
	return p, nil
}
