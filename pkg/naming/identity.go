package naming

import (
	"strconv"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Identity identifies a piece of work (I9): one event of a log on its way to one target.
type Identity struct {
	Target route.TargetKey
	// Sequence is the event's sequence in the log. Stored is when the log stored the event: a log
	// that was created again may reuse a sequence, but never with the same time.
	Sequence uint64
	Stored   time.Time
	// Run is 0 for the event as it came, and another number for each later retry or replay.
	Run uint64
}

// MessageID returns the Nats-Msg-Id of an outcome of the work: storing the outcome again stores no
// second copy. what tells the outcomes of the work apart, such as a reply and a dead letter.
func MessageID(id Identity, what string) string {
	return hash(TargetKey(id.Target) + " " + id.token() + " " + what)
}

// ParkedSubject is the subject of work that is parked for its target.
func (n Names) ParkedSubject(id Identity) string {
	return n.target(parked, id.Target) + "." + id.token()
}

// token returns the identity within its target as one subject token. Only the middle number may
// have a sign, so the dashes separate the numbers.
func (id Identity) token() string {
	var stored int64
	if !id.Stored.IsZero() {
		stored = id.Stored.UnixNano()
	}
	return strconv.FormatUint(id.Sequence, 10) + "-" + strconv.FormatInt(stored, 10) + "-" + strconv.FormatUint(id.Run, 10)
}
