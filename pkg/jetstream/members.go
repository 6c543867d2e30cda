package jetstream

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// MetaMembers is the metadata key under which a shared consumer lists the tags of its members. A
// tag is added before the target's record is written, and removed only when the record is about to
// be swept. So a target whose record was deleted by hand is still known as a member: no filter
// acknowledges its events undelivered, and no trimmer removes them.
const MetaMembers = "eventing-jetstream.members"

// tagLength is the length of a tag: 48 bits of a hash tell the targets of one address apart.
const tagLength = 8

// MemberTag returns the target's tag in the metadata of its shared consumer.
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
