// Package foreign checks streams and subjects of somebody else's, which a log may use. Owners ask,
// and what validates resources and files; ingress and filter take what the owner has written.
package foreign

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
)

// ErrSubject means that a log cannot listen to a subject of somebody else's; the message says why.
var ErrSubject = errors.New("subject cannot be used")

// CheckSubjects refuses subjects that an address's log cannot listen to beside its own, with
// ErrSubject: illegal ones, what is or takes in NATS's own, and two that overlap, as the server
// would.
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

// CheckSubjectsOf is CheckSubjects, and refuses also what overlaps with the subjects of the
// installation.
func CheckSubjectsOf(n naming.Names, subjects []string) error {
	ours := n.Prefix() + ".>"
	for _, subject := range subjects {
		if overlap(subject, ours) {
			return fmt.Errorf("%w %q: it overlaps with %q, which are this installation's own", ErrSubject, subject, ours)
		}
	}
	return CheckSubjects(subjects)
}

// IsOwnStream tells whether the stream's name is of the kind that this installation or a NATS bucket gives to its streams.
func IsOwnStream(n naming.Names, stream string) bool {
	return strings.HasPrefix(stream, n.Prefix()+"_") || strings.HasPrefix(stream, "KV_") || strings.HasPrefix(stream, "OBJ_")
}

// LegalStream tells whether NATS takes the name for a stream's.
func LegalStream(name string) bool {
	return name != "" && len(name) < 256 && !strings.ContainsAny(name, " \t\r\n.*>/\\\x00\x7f")
}

// Covers tells whether every subject that narrow stands for is one that wide stands for. Both may have wildcards.
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

// overlap tells whether some subject is one that both stand for.
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

// legalSubject tells whether NATS takes the subject, which may have wildcards, for one of a stream.
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
			return false // NATS would take the star for a letter, which nobody means
		}
	}
	return true
}

// maxForeign bounds a subject that is given, in bytes. NATS takes some more.
const maxForeign = 1024
