package naming

import (
	"fmt"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The first tokens of KV keys, and how many tokens an address and a target add.
const (
	addressRecord = "address"
	targetRecord  = "target"
	sharedRecord  = "shared"

	addressTokens = 3
	targetTokens  = 2
)

// AddressKey is the KV key of an address's record. It has no prefix: the bucket's name has it.
func AddressKey(k route.Key) string { return addressRecord + "." + addressPath(k) }

// TargetKey is the KV key of a target's record.
func TargetKey(t route.TargetKey) string {
	return targetRecord + "." + addressPath(t.Address) + "." + token(t.Namespace) + "." + token(t.Name)
}

// TargetKeysOf is the filter for the keys of all targets of an address.
func TargetKeysOf(k route.Key) string { return targetRecord + "." + addressPath(k) + ".>" }

// SharedKey is the key of an address's shared consumer in the positions bucket.
func SharedKey(k route.Key) string { return sharedRecord + "." + addressPath(k) }

// EventTypeKey is the KV key of an event type of an address. identity is free text, of which the
// key has a hash as its last token.
func EventTypeKey(k route.Key, identity ...string) string {
	return addressPath(k) + "." + hash(fmt.Sprintf("%q", identity)) // quoted, so that different lists differ
}

func addressPath(k route.Key) string {
	return token(string(k.Kind)) + "." + token(k.Namespace) + "." + token(k.Name)
}

// Record is the address or, if Target is set, the target of a KV key.
type Record struct {
	Address route.Key
	Target  *route.TargetKey
}

// ParseKey is the inverse of AddressKey and TargetKey. It returns ErrKey for every other key.
func ParseKey(key string) (Record, error) {
	record, rest, _ := strings.Cut(key, ".")
	tokens := strings.Split(rest, ".")
	switch {
	case record == addressRecord && len(tokens) == addressTokens:
		if address, ok := parseAddress(tokens); ok {
			return Record{Address: address}, nil
		}
	case record == targetRecord && len(tokens) == addressTokens+targetTokens:
		address, ok := parseAddress(tokens[:addressTokens])
		namespace, legalNamespace := untoken(tokens[addressTokens])
		name, legalName := untoken(tokens[addressTokens+1])
		if ok && legalNamespace && legalName {
			return Record{address, &route.TargetKey{Address: address, Namespace: namespace, Name: name}}, nil
		}
	}
	return Record{}, fmt.Errorf("%w: %q", ErrKey, key)
}

func parseAddress(tokens []string) (route.Key, bool) {
	kind, legalKind := untoken(tokens[0])
	namespace, legalNamespace := untoken(tokens[1])
	name, legalName := untoken(tokens[2])
	return route.Key{Kind: route.Kind(kind), Namespace: namespace, Name: name}, legalKind && legalNamespace && legalName
}
