package owner

import (
	"maps"
	"slices"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// maxMembers is how many targets share the consumer of one address at most: NATS takes 128 KiB of metadata.
const maxMembers = 10000

// withMember returns the metadata with the tags in it as well.
func withMember(metadata map[string]string, tags ...string) map[string]string {
	all := append(jetstream.MembersIn(metadata), tags...)
	slices.Sort(all)
	return withMembers(metadata, slices.Compact(all))
}

// withoutMember returns the metadata without the tags.
func withoutMember(metadata map[string]string, tags ...string) map[string]string {
	return withMembers(metadata, slices.DeleteFunc(jetstream.MembersIn(metadata), func(tag string) bool { return slices.Contains(tags, tag) }))
}

func withMembers(metadata map[string]string, tags []string) map[string]string {
	changed := maps.Clone(metadata)
	if changed == nil {
		changed = map[string]string{}
	}
	changed[jetstream.MetaMembers] = strings.Join(tags, ",")
	return changed
}
