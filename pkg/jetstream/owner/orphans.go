package owner

import (
	"context"
	"fmt"
	"maps"
	"slices"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Unrecorded returns routes for the streams and own cursors that this owner made and that have no record any more, not even a
// tombstone, such as those of a resource that was deleted just after somebody had deleted its record by hand. They would be kept for
// ever, and the cursors would hold their log; members of a shared consumer without a record are for sweepMembers. The records have
// revision 0. It ends nothing: that is for End, once the caller has made sure, past every cache, that there is no such resource.
func (o *Owner) Unrecorded(ctx context.Context) ([]routes.StoredRecord, error) {
	// First the streams, then the records: what is made in between has a record by the time that they are read, or is not listed.
	names := o.client.Names()
	streams := o.client.JetStream().ListStreams(ctx, natsjs.WithStreamListSubject(names.Prefix()+".>"))
	addresses := map[route.Key]routes.StoredRecord{}
	var logs []route.Key
	for info := range streams.Info() {
		key, name := addressOf(info.Config.Metadata), info.Config.Name
		switch name {
		case names.Log(key):
			logs = append(logs, key)
		case names.DirectedStream(key), names.DeadLetterStream(key):
		default:
			continue // of another installation, or of somebody else
		}
		if info.Config.Metadata[jetstream.MetaOwner] == o.name {
			address := route.Address{Key: key, UID: info.Config.Metadata[jetstream.MetaUID], Owner: o.name}
			addresses[key] = routes.StoredRecord{Record: route.Record{Address: &address}}
		}
	}
	if err := streams.Err(); err != nil {
		return nil, fmt.Errorf("list the streams: %w", err)
	}
	found := slices.Collect(maps.Values(addresses))
	for _, key := range logs {
		cursors, err := o.cursorsIn(ctx, names.Log(key), key)
		if err != nil {
			return nil, err
		}
		found = append(found, cursors...)
	}
	records, err := routes.Records(ctx, o.client, "")
	if err != nil {
		return nil, err // one that cannot be read may be of any of them
	}
	return notRecorded(found, records), nil
}

// cursorsIn returns routes for the cursors of this owner in a log.
func (o *Owner) cursorsIn(ctx context.Context, log string, key route.Key) ([]routes.StoredRecord, error) {
	stream, err := o.client.JetStream().Stream(ctx, log)
	if err != nil {
		return nil, jetstream.IgnoreMissing(err)
	}
	consumers, err := jetstream.ConsumersOf(ctx, stream)
	if err != nil {
		return nil, err
	}
	var found []routes.StoredRecord
	for name, info := range consumers {
		meta := info.Config.Metadata
		target := route.Target{Key: targetIn(meta, key), UID: meta[jetstream.MetaUID], Owner: o.name, Consumer: name}
		if meta[jetstream.MetaOwner] == o.name && name == o.client.Names().Consumer(target.Key) {
			found = append(found, routes.StoredRecord{Record: route.Record{Target: &target}})
		}
	}
	return found, nil
}

func addressOf(meta map[string]string) route.Key {
	return route.Key{Kind: route.Kind(meta[jetstream.MetaKind]), Namespace: meta[jetstream.MetaNamespace], Name: meta[jetstream.MetaName]}
}

// targetIn returns the target of the address that a consumer with this metadata is for.
func targetIn(meta map[string]string, address route.Key) route.TargetKey {
	return route.TargetKey{Address: address, Namespace: meta[jetstream.MetaNamespace], Name: meta[jetstream.MetaName]}
}

// notRecorded leaves out what has a record.
func notRecorded(found, records []routes.StoredRecord) []routes.StoredRecord {
	recorded := map[string]bool{}
	for _, r := range records {
		recorded[routes.RecordKey(r.Record)] = true
	}
	var left []routes.StoredRecord
	for _, r := range found {
		if !recorded[routes.RecordKey(r.Record)] {
			left = append(left, r)
		}
	}
	return left
}
