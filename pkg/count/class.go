package count

// Class is the kind of a failed attempt.
type Class int

// The classes of failed attempts.
const (
	// NoResponse means that the request could not be made, or was not answered.
	NoResponse Class = iota
	// Timeout means that the answer did not come in time.
	Timeout
	// ClientError is a status from 400 to 499, ServerError one from 500 to 599, and OtherStatus
	// any other that is no success.
	ClientError
	ServerError
	OtherStatus
	// Reply means that the event was taken, and the reply to it cannot be used or passed on.
	Reply

	classes = iota
)

// String returns the name of the class, as metrics and commands show it.
func (c Class) String() string {
	return [classes]string{"no-response", "timeout", "4xx", "5xx", "other-status", "reply"}[c]
}

// StatusClass is the class of a status that is no success.
func StatusClass(status int) Class {
	switch status / 100 {
	case 4:
		return ClientError
	case 5:
		return ServerError
	default:
		return OtherStatus
	}
}

// refusal is a reason to refuse an event.
type refusal struct {
	status int
	reason string
}

// reasons is the number of refusals.
const reasons = 11

// refusals are the reasons to refuse an event, by the status that the sender gets. The last one
// stands for all other statuses.
func refusals() [reasons]refusal {
	return [reasons]refusal{
		{400, "invalid"}, {403, "forbidden"}, {404, "not-served"}, {408, "body-timeout"}, {413, "too-large"}, {415, "encoding"},
		{429, "busy"}, {431, "attributes-too-large"}, {503, "unavailable"}, {507, "log-full"}, {500, "internal"},
	}
}

func refusalOf(status int) int {
	for i, r := range refusals() {
		if r.status == status {
			return i
		}
	}
	return reasons - 1
}
