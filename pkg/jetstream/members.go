package jetstream

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The shared consumer of a log says in its metadata whose cursor it is: a target's tag is there before its record is, and leaves only
// when the record is about to be swept. So a target whose record was deleted by hand is still known to be one: nobody acknowledges on
// its behalf, and nothing that it has not got is trimmed.
const metaMembers = "eventing-jetstream.members"

const (
	// tagLength is how much of a hash tells a target from another of the same address: 48 bits.
	tagLength = 8
	// MaxMembers is how many targets share the consumer of one address at most: NATS takes 128 KiB of metadata.
	MaxMembers = 10000
)

// MemberTag is what stands for the target in the metadata of the consumer that it shares.
func MemberTag(key route.TargetKey) string { return TagOf(naming.TargetKey(key)) }

// TagOf returns the tag of the target whose record is at this key of the routes bucket.
func TagOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:tagLength]
}

// MembersIn returns the tags of the targets that share the consumer with this metadata, sorted.
func MembersIn(metadata map[string]string) []string {
	if metadata[metaMembers] == "" {
		return nil
	}
	return strings.Split(metadata[metaMembers], ",")
}

// WithMember returns the metadata with the tags in it as well.
func WithMember(metadata map[string]string, tags ...string) map[string]string {
	all := append(MembersIn(metadata), tags...)
	slices.Sort(all)
	return withMembers(metadata, slices.Compact(all))
}

// WithoutMember returns the metadata without the tags.
func WithoutMember(metadata map[string]string, tags ...string) map[string]string {
	return withMembers(metadata, slices.DeleteFunc(MembersIn(metadata), func(tag string) bool { return slices.Contains(tags, tag) }))
}

func withMembers(metadata map[string]string, tags []string) map[string]string {
	changed := maps.Clone(metadata)
	if changed == nil {
		changed = map[string]string{}
	}
	changed[metaMembers] = strings.Join(tags, ",")
	return changed
}
