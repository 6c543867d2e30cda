package naming

import (
	"fmt"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// The first tokens of the routes bucket's keys, and how many tokens identify what.
const (
	addressRecord = "address"
	targetRecord  = "target"
	sharedRecord  = "shared"

	addressTokens = 3
	targetTokens  = 2
)

// AddressKey is the KV key of an address's record. Keys carry no prefix: the bucket has it.
func AddressKey(k route.Key) string { return addressRecord + "." + addressPath(k) }

// TargetKey is the KV key of a target's record.
func TargetKey(t route.TargetKey) string {
	return targetRecord + "." + addressPath(t.Address) + "." + token(t.Namespace) + "." + token(t.Name)
}

// TargetKeysOf is the filter that covers the keys of all targets of an address.
func TargetKeysOf(k route.Key) string { return targetRecord + "." + addressPath(k) + ".>" }

// SharedKey is the KV key of what is known of an address's shared consumer, in the bucket of positions.
func SharedKey(k route.Key) string { return sharedRecord + "." + addressPath(k) }

// EventTypeKey is the KV key of a type of events that an address has seen. What identifies it there is free text: only a hash of
// it goes into the key, after the last dot.
func EventTypeKey(k route.Key, identity ...string) string {
	return addressPath(k) + "." + hash(fmt.Sprintf("%q", identity)) // quoted, so that no two lists look the same
}

func addressPath(k route.Key) string {
	return token(string(k.Kind)) + "." + token(k.Namespace) + "." + token(k.Name)
}

// Record is what a KV key names: a target when Target is set, else an address.
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

// parseAddress reads the three tokens of an address.
func parseAddress(tokens []string) (route.Key, bool) {
	kind, legalKind := untoken(tokens[0])
	namespace, legalNamespace := untoken(tokens[1])
	name, legalName := untoken(tokens[2])
	return route.Key{Kind: route.Kind(kind), Namespace: namespace, Name: name}, legalKind && legalNamespace && legalName
}
