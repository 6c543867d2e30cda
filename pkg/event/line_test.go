package event_test

import (
	"bytes"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// StructuredLine writes one line, which is read back as the same event, whatever the data.
func TestStructuredLineIsReadBack(t *testing.T) {
	for _, version := range []string{"1.0", "0.3"} {
		for _, contentType := range []string{"", "application/json", "application/x+json", "application/cloudevents+json", "text/plain", "image/png"} {
			for _, data := range []string{
				"", `{"a":1}`, "{\n\"a\": 1\r\n}\n", "\n7", " 7", "7\t", "[1,\n2]", `"a\nb"`, "text\nin lines\r\n", "\x00\xff\n", "null", "\u2028",
			} {
				e := event.Event{Data: []byte(data)}
				e = e.With(event.SpecVersion, version).With(event.ID, "i\n1").With(event.Source, "/s").With(event.Type, "t")
				if contentType != "" {
					e = e.With(event.DataContentType, contentType)
				}
				line := event.StructuredLine(e)
				if bytes.ContainsAny(line, "\r\n") {
					t.Errorf("%q of the type %q makes more than one line: %s", data, contentType, line)
				}
				got, err := event.FromHTTP(structuredHeader(), line)
				if err != nil || string(got.Data) != data {
					t.Errorf("%q of the type %q is read back as %q: %v", data, contentType, got.Data, err)
				}
				if have, want := got.Attr(event.DataContentType), contentType; have != want {
					t.Errorf("%q of the type %q has the type %q when it is read back", data, want, have)
				}
			}
		}
	}
}
