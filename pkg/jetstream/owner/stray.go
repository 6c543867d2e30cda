package owner

import (
	"context"
	"slices"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/routes"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// sweepMembers gives up the members of an address's shared consumer of whom there has been no record for strayPatience: what they hold is
// never trimmed. recorded are the tags of those who have one.
func (o *Owner) sweepMembers(ctx context.Context, key route.Key, recorded []string) error {
	members, err := o.membersOf(ctx, key, len(recorded) > 0)
	if err != nil {
		return err
	}
	lost := o.lostMembers(key, without(members, recorded))
	if len(lost) == 0 {
		return nil
	}
	sharing, err := o.sharing(ctx, key) // those that were read before may be old by now
	if err != nil {
		return err
	}
	o.client.Logger().Error("members of a shared consumer have no record and are given up", "address", key.String(), "members", lost)
	return o.leave(ctx, key, without(lost, tagsOf(sharing))...)
}

// membersOf returns the members of an address's shared consumer. Where that is gone, and nobody has a record, but a position of it is
// remembered, there may have been some of whom nothing else is left: one without a name, for whom the log is kept.
func (o *Owner) membersOf(ctx context.Context, key route.Key, recorded bool) ([]string, error) {
	have, err := o.sharedConsumer(ctx, key)
	if err == nil {
		return jetstream.MembersIn(have.Config.Metadata), nil
	}
	if recorded || jetstream.IgnoreMissing(err) != nil {
		return nil, jetstream.IgnoreMissing(err)
	}
	remembered, err := routes.Remembered(ctx, o.client, naming.SharedKey(key))
	if err != nil || !remembered {
		return nil, err
	}
	return []string{unnamed}, nil
}

// unnamed stands for the members that a consumer had which is gone; it is no tag.
const unnamed = "(unknown)"

// lostMembers remembers since when members are strays, and returns those that have been for too long.
func (o *Owner) lostMembers(key route.Key, strays []string) (lost []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	since := map[string]time.Time{}
	for _, tag := range strays {
		seen, ok := o.strays[key][tag]
		if !ok {
			seen = time.Now()
			o.client.Logger().Warn("a member of a shared consumer has no record; what it has not got is kept", "address", key.String(), "member", tag)
		}
		since[tag] = seen
		if time.Since(seen) > o.client.Timing().StrayPatience {
			lost = append(lost, tag)
		}
	}
	o.strays[key] = since
	return lost
}

func tagsOf(targets []route.Target) []string {
	var tags []string
	for _, t := range targets {
		tags = append(tags, jetstream.MemberTag(t.Key))
	}
	return tags
}

// notAmong returns the targets whose tags are not among these.
func notAmong(members []string, targets []route.Target) (missing []route.Target) {
	for _, t := range targets {
		if !slices.Contains(members, jetstream.MemberTag(t.Key)) {
			missing = append(missing, t)
		}
	}
	return missing
}

func without(tags, others []string) []string {
	return slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return slices.Contains(others, tag) })
}
