package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// maxName bounds stream and consumer names. The server refuses 256 bytes and uses the names as
	// directories; the margin leaves room for suffixes of the server and its tools.
	maxName = 200
	// maxSubdomain is the longest Kubernetes name (RFC 1123 subdomain).
	maxSubdomain = 253
	// hashLength is the length of a hash in characters.
	hashLength = 32
	// hashed precedes a hash. A legal name has no two dots in a row, so its token has no "==".
	hashed = "=="
)

// token returns a namespace, name or kind as one token of a subject or part of a stream's name: a
// dot becomes '='. A name that Kubernetes would refuse becomes a hash, and so neither an illegal
// token nor the token of a legal name.
func token(name string) string {
	if !legal(name) {
		return hashed + hash(name)
	}
	return strings.ReplaceAll(name, ".", "=")
}

// untoken is the inverse of token; ok is false for a text that is not the token of a legal name.
func untoken(token string) (name string, ok bool) {
	if strings.Contains(token, ".") {
		return "", false
	}
	name = strings.ReplaceAll(token, "=", ".")
	return name, legal(name)
}

// legal reports whether name keeps the part of Kubernetes' rule for names that token relies on.
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

// bounded joins the parts of a name. In a name over maxName a hash of the whole replaces the end.
func bounded(parts ...string) string {
	name := strings.Join(parts, "_")
	if len(name) <= maxName {
		return name
	}
	return name[:maxName-len(hashed)-hashLength] + hashed + hash(name)
}

// hash returns 128 bits of SHA-256 in lower-case hex: different strings get different hashes.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:hashLength/2])
}
