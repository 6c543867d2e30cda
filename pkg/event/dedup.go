package event

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// DedupID returns a short name for the event with this source and id: 128 bits of a SHA-256 as 22
// characters of URL-safe base64. Two CloudEvents are the same event if both agree. The length of
// the source is hashed too, so that ("a", "bc") and ("ab", "c") differ.
func DedupID(source, id string) string {
	var array [256]byte
	text := binary.AppendUvarint(array[:0], uint64(len(source)))
	text = append(text, source...)
	text = append(text, id...)
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
