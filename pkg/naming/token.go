package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// maxName is the longest stream or consumer name we make. The server refuses 256 bytes and makes directories of the names;
	// the distance leaves room for suffixes that it or its tools add.
	maxName = 200
	// maxSubdomain is the longest name that Kubernetes takes (RFC 1123 subdomain).
	maxSubdomain = 253
	// hashLength is the length of what hash returns.
	hashLength = 32
	// hashed precedes a hash. A legal name never has two dots in a row, so it never yields two equals signs.
	hashed = "=="
)

// token returns a namespace, name or kind as one subject token or one part of a stream's name: a dot becomes '=', which no
// Kubernetes name contains. What Kubernetes would not take as a name becomes a hash, so that it can't make an illegal token
// or one that belongs to a legal name.
func token(name string) string {
	if !legal(name) {
		return hashed + hash(name)
	}
	return strings.ReplaceAll(name, ".", "=")
}

// untoken is the inverse of token; ok is false for what token does not make from a legal name.
func untoken(token string) (name string, ok bool) {
	if strings.Contains(token, ".") {
		return "", false
	}
	name = strings.ReplaceAll(token, "=", ".")
	return name, legal(name)
}

// legal is the part of Kubernetes' rule for names that the encoding relies on.
func legal(name string) bool {
	if name == "" || len(name) > maxSubdomain || name[0] == '.' || name[len(name)-1] == '.' {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-':
		case c == '.' && name[i-1] != '.':
		default:
			return false
		}
	}
	return true
}

// bounded joins the parts of a stream's or consumer's name, and replaces the end of a name that is too long by a hash of all.
func bounded(parts ...string) string {
	name := strings.Join(parts, "_")
	if len(name) <= maxName {
		return name
	}
	return name[:maxName-len(hashed)-hashLength] + hashed + hash(name)
}

// hash is injective for all practical purposes: 128 bits of SHA-256 in lower-case hex.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:hashLength/2])
}
