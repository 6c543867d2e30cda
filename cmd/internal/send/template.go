package send

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Template is what the events of one run have in common.
type Template struct {
	Type, Source string
	// Subject is left out when it is empty.
	Subject string
	// ID is the id of a single event and the beginning of the ids of many; "" chooses one that no other run has.
	ID string
	// ContentType is the data's; "" means application/json for JSON and text/plain or application/octet-stream for the rest.
	ContentType string
	// Extensions may set time and dataschema too.
	Extensions []event.Attribute
	Data       []byte
}

// validate checks what reading the finished event could not tell: an extension that would hide one of the other fields.
func (t Template) validate() error {
	for i, extension := range t.Extensions {
		switch extension.Name {
		case event.ID, event.Source, event.Type, event.Subject:
			return fmt.Errorf("extension: %q has a flag of its own", extension.Name)
		case event.DataContentType:
			return errors.New(`extension: "datacontenttype" is set by content-type`)
		case event.SpecVersion:
			return errors.New(`extension: "specversion" is always 1.0`)
		}
		if !isAttributeName(extension.Name) {
			return fmt.Errorf("extension: %q is no attribute name: it takes the letters a to z and digits, and not \"data\"", extension.Name)
		}
		if slices.ContainsFunc(t.Extensions[:i], func(a event.Attribute) bool { return a.Name == extension.Name }) {
			return fmt.Errorf("extension: %q is given twice", extension.Name)
		}
	}
	return nil
}

// withDefaults returns the template with an id and a content type.
func (t Template) withDefaults() Template {
	if t.ID == "" {
		t.ID = rand.Text()
	}
	if t.ContentType == "" && len(t.Data) > 0 {
		t.ContentType = contentTypeOf(t.Data)
	}
	return t
}

// event returns event i of count. Only the ids and the times of a run's events differ.
func (t Template) event(i, count int, now time.Time) event.Event {
	id := t.ID
	if count > 1 {
		id += "-" + strconv.Itoa(i+1)
	}
	attributes := make([]event.Attribute, 0, 7+len(t.Extensions))
	attributes = append(attributes,
		event.Attribute{Name: event.SpecVersion, Value: "1.0"},
		event.Attribute{Name: event.ID, Value: id},
		event.Attribute{Name: event.Source, Value: t.Source},
		event.Attribute{Name: event.Type, Value: t.Type},
	)
	for _, optional := range []event.Attribute{{Name: event.Subject, Value: t.Subject}, {Name: event.DataContentType, Value: t.ContentType}} {
		if optional.Value != "" {
			attributes = append(attributes, optional)
		}
	}
	attributes = append(attributes, t.Extensions...)
	e := event.Event{Attributes: attributes, Data: t.Data}
	if _, ok := e.Get(event.Time); !ok {
		e.Attributes = append(e.Attributes, event.Attribute{Name: event.Time, Value: now.UTC().Format(time.RFC3339Nano)})
	}
	return e
}

func contentTypeOf(data []byte) string {
	switch {
	case json.Valid(data):
		return "application/json"
	case utf8.Valid(data):
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

func isAttributeName(name string) bool {
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && name != "data"
}
