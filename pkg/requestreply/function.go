// Package requestreply has the CESQL function by which the Triggers of Knative's RequestReply
// recognise the replies to its requests.
//
// A reply carries the id "ID:SEALED:INDEX": the id of the request, the same id sealed with AES-GCM
// by a key of the RequestReply, and the number of the process that waits for the reply.
//
// Source: knative.dev/eventing pkg/requestreply.
package requestreply

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
)

const (
	// Secret is the name of the Secret with the keys. Upstream's Triggers name no other.
	Secret = "request-reply-keys"

	functionName = "KN_VERIFY_CORRELATION_ID"
)

// Function returns KN_VERIFY_CORRELATION_ID(id, name, namespace, secret, process, processes), which
// reports whether the RequestReply of that name made the id for the process. keys returns the
// content of Secret, by "NAMESPACE.NAME.ANYTHING"; it is called for every event, by any number of
// goroutines. An id with a fault is false, without an error. An id that needs a key is undecided
// while no key of the RequestReply is known, as a mounted Secret comes late.
func Function(keys func() map[string]string) cesql.Function {
	return cesql.Function{
		Name:       functionName,
		Parameters: []cesql.Type{cesql.String, cesql.String, cesql.String, cesql.String, cesql.Integer, cesql.Integer},
		Returns:    cesql.Boolean,
		Call: func(values []cesql.Value) (cesql.Value, cesql.Errors) {
			verified, known := verify(values, keys)
			if !known {
				return cesql.BooleanValue(false), cesql.Undecided
			}
			return cesql.BooleanValue(verified), 0
		},
	}
}

// verify computes the function. known is false if a needed key is missing.
func verify(values []cesql.Value, keys func() map[string]string) (verified, known bool) {
	id, name, namespace, secret := values[0].Text(), values[1].Text(), values[2].Text(), values[3].Text()
	process, processes := values[4].Number(), values[5].Number()
	parsed, ok := parse(id)
	if !ok || processes == 0 || parsed.index%processes != process || secret != Secret {
		return false, true
	}
	prefix := namespace + "." + name + "."
	for key, value := range keys() {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		known = true
		if parsed.sealedWith([]byte(value)) {
			return true, true
		}
	}
	return false, known
}

type replyID struct {
	id     string
	sealed []byte
	index  int32
}

func parse(text string) (replyID, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return replyID{}, false
	}
	sealed, err := base64.URLEncoding.DecodeString(parts[1])
	if err != nil {
		return replyID{}, false
	}
	index, err := strconv.ParseInt(parts[2], 10, 32)
	return replyID{id: parts[0], sealed: sealed, index: int32(index)}, err == nil
}

func (r replyID) sealedWith(key []byte) bool {
	block, err := aes.NewCipher(key)
	if err != nil {
		return false
	}
	// NewGCM does not fail for AES.
	gcm, err := cipher.NewGCM(block)
	if err != nil || len(r.sealed) < gcm.NonceSize() {
		return false
	}
	opened, err := gcm.Open(nil, r.sealed[:gcm.NonceSize()], r.sealed[gcm.NonceSize():], nil)
	return err == nil && string(opened) == r.id
}
