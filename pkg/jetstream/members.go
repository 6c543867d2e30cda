package jetstream

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// MetaMembers is where the shared consumer of a log says whose cursor it is: a target's tag is there before its record is, and leaves only
// when the record is about to be swept. So a target whose record was deleted by hand is still known to be one: nobody acknowledges on
// its behalf, and nothing that it has not got is trimmed.
const MetaMembers = "eventing-jetstream.members"

// tagLength is how much of a hash tells a target from another of the same address: 48 bits.
const tagLength = 8

// MemberTag is what stands for the target in the metadata of the consumer that it shares.
func MemberTag(key route.TargetKey) string { return TagOf(naming.TargetKey(key)) }

// TagOf returns the tag of the target whose record is at this key of the routes bucket.
func TagOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:tagLength]
}

// MembersIn returns the tags of the targets that share the consumer with this metadata, sorted.
func MembersIn(metadata map[string]string) []string {
	if metadata[MetaMembers] == "" {
		return nil
	}
	return strings.Split(metadata[MetaMembers], ",")
}
