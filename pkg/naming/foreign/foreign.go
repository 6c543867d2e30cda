// Package foreign checks the names of streams and subjects of others that a log may use, for owners
// and for the validation of resources and files.
package foreign

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// ErrSubject means that a log cannot listen to a subject of others; the message says why.
var ErrSubject = errors.New("subject cannot be used")

// CheckSubjects returns ErrSubject if an address's log cannot listen to the subjects beside its
// own: illegal subjects, subjects that cover NATS's own, and overlapping subjects.
func CheckSubjects(subjects []string) error {
	for i, subject := range subjects {
		switch {
		case !legalSubject(subject):
			return fmt.Errorf("%w %q: not a legal subject", ErrSubject, subject)
		case subject[0] == '>', subject[0] == '*':
			return fmt.Errorf("%w %q: its first token is a wildcard, which takes in NATS's own subjects", ErrSubject, subject)
		case subject[0] == '$', subject == "_INBOX", strings.HasPrefix(subject, "_INBOX."):
			return fmt.Errorf("%w %q: it is one of NATS's own", ErrSubject, subject)
		}
		for _, before := range subjects[:i] {
			if overlap(before, subject) {
				return fmt.Errorf("%w %q: it overlaps with %q", ErrSubject, subject, before)
			}
		}
	}
	return nil
}

// CheckSubjectsOf is CheckSubjects that also refuses overlaps with the installation's subjects.
func CheckSubjectsOf(n naming.Names, subjects []string) error {
	ours := n.Prefix() + ".>"
	for _, subject := range subjects {
		if overlap(subject, ours) {
			return fmt.Errorf("%w %q: it overlaps with %q, which are this installation's own", ErrSubject, subject, ours)
		}
	}
	return CheckSubjects(subjects)
}

// IsOwnStream reports whether the stream's name is one of this installation or of a NATS bucket.
func IsOwnStream(n naming.Names, stream string) bool {
	return strings.HasPrefix(stream, n.Prefix()+"_") || strings.HasPrefix(stream, "KV_") || strings.HasPrefix(stream, "OBJ_")
}

// LegalStream reports whether NATS accepts the name for a stream.
func LegalStream(name string) bool {
	return name != "" && len(name) < 256 && !strings.ContainsAny(name, " \t\r\n.*>/\\\x00\x7f")
}

// Covers reports whether wide covers every subject that narrow covers. Both may have wildcards.
func Covers(wide, narrow string) bool {
	want, have := strings.Split(wide, "."), strings.Split(narrow, ".")
	for i, token := range want {
		switch {
		case i >= len(have):
			return false
		case token == ">":
			return true
		case have[i] == ">", token != "*" && token != have[i]:
			return false
		}
	}
	return len(want) == len(have)
}

// overlap reports whether both subjects, which may have wildcards, cover a common subject.
func overlap(a, b string) bool {
	left, right := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(left), len(right)) {
		switch {
		case left[i] == ">" || right[i] == ">":
			return true
		case left[i] != "*" && right[i] != "*" && left[i] != right[i]:
			return false
		}
	}
	return len(left) == len(right)
}

// legalSubject reports whether a stream can have the subject, which may have wildcards.
func legalSubject(subject string) bool {
	if len(subject) > maxForeign {
		return false
	}
	tokens := strings.Split(subject, ".")
	for i, token := range tokens {
		switch {
		case token == "", strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == 0x7f }):
			return false
		case token == ">" && i < len(tokens)-1:
			return false
		case len(token) > 1 && strings.ContainsAny(token, "*>"):
			return false // to NATS that is a letter and no wildcard, which nobody means
		}
	}
	return true
}

// maxForeign bounds a subject in bytes, below the bound of NATS.
const maxForeign = 1024
