package letters

import (
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// Selection says which letters are meant. What is not set excludes none.
type Selection struct {
	// Namespace is that of the Broker or Channel.
	Namespace string
	// Kind and Name are those of the Broker or Channel.
	Kind route.Kind
	Name string
	// Target is the name of the Trigger or Subscription, with or without a namespace and a slash.
	Target string
	// ID, Type and Source are those of the event.
	ID, Type, Source string
	// Reason is a part of the reason, in upper or lower case.
	Reason string
	// Code is the last HTTP status, 0 where there was no response.
	Code *int
	// Since and Until bound when the event was given up: from Since on, and before Until.
	Since, Until time.Time
	// Limit is how many letters are taken at most.
	Limit int
}

// IsEverything tells that no letter of the namespace is excluded, whatever the limit.
func (s Selection) IsEverything() bool {
	s.Namespace, s.Limit = "", 0
	return s == Selection{}
}

func (s Selection) hasAddress(k route.Key) bool {
	return (s.Namespace == "" || s.Namespace == k.Namespace) && (s.Name == "" || s.Kind == k.Kind && s.Name == k.Name)
}

// has tells whether a letter that was given up since Since is meant: NATS yields no earlier one.
func (s Selection) has(l Letter) bool {
	for _, wanted := range []struct{ want, have string }{
		{s.ID, l.Event.Attr(event.ID)}, {s.Type, l.Event.Attr(event.Type)}, {s.Source, l.Event.Attr(event.Source)},
	} {
		if wanted.want != "" && wanted.want != wanted.have {
			return false
		}
	}
	return (s.Target == "" || l.isTarget(s.Target)) &&
		strings.Contains(strings.ToLower(l.Failure.Reason), strings.ToLower(s.Reason)) &&
		(s.Code == nil || *s.Code == l.Failure.Code) &&
		(s.Until.IsZero() || l.GivenUp.Before(s.Until))
}
