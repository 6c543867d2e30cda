package naming

import (
	"strconv"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Identity tells one piece of work from every other: one event of a log on its way to one target.
type Identity struct {
	Target route.TargetKey
	// Sequence is the event's place in the log. Stored is when the log has stored the event: a log that was made anew may count from
	// the same sequence again, but never at the same time.
	Sequence uint64
	Stored   time.Time
	// Run is 0 for the event as it came, and another number for each retry or replay that somebody asks for later.
	Run uint64
}

// MessageID is the Nats-Msg-Id of what came of the work, so that storing the same outcome again stores no second copy. what tells
// a reply from a dead letter, and one parking from the next.
func MessageID(id Identity, what string) string {
	return hash(TargetKey(id.Target) + " " + id.token() + " " + what)
}

// ParkedSubject is the subject of work that waits until it is sent to its target again.
func (n Names) ParkedSubject(id Identity) string {
	return n.target(parked, id.Target) + "." + id.token()
}

// token is the identity within its target, as one token of a subject. The first and the last number have no sign, so that the dashes
// tell them apart.
func (id Identity) token() string {
	var stored int64
	if !id.Stored.IsZero() {
		stored = id.Stored.UnixNano()
	}
	return strconv.FormatUint(id.Sequence, 10) + "-" + strconv.FormatInt(stored, 10) + "-" + strconv.FormatUint(id.Run, 10)
}
