package event_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// What a sender writes into a header is what the subscriber finds there, through NATS and as a reply: the SDKs for Go and JavaScript neither
// encode nor decode. A filter, the JSON format and the de-duplication see the same value in every mode.
func TestHeadersLeaveAsTheyCame(t *testing.T) {
	for _, test := range []struct{ name, text, value string }{
		{"plain", "order-17", "order-17"},
		{"spaces", "hello big world", "hello big world"},
		{"encoded spaces", "hello%20big%20world", "hello big world"},
		{"a URI's escapes", "/api/v4/projects/group%2Fproject", "/api/v4/projects/group%2Fproject"},
		{"Latin-1, encoded", "/caf%E9", "/caf%E9"},
		{"UTF-8, encoded", "/caf%C3%A9", "/café"},
		{"UTF-8, encoded in lower case", "/caf%c3%a9", "/café"},
		{"UTF-8 as it is", "/café", "/café"},
		{"a percent sign", "100%", "100%"},
		{"an encoded percent sign", "100%25", "100%"},
		{"quotes", `say "hi"`, `say "hi"`},
		{"a quoted string", `"hello"`, "hello"},
		{"a tab", "a\tb", "a\tb"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := event.FromHTTP(header("Ce-Subject", test.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			stored, err := event.FromNATS(event.ToNATS(e), nil)
			if err != nil {
				t.Fatal(err)
			}
			for mode, have := range map[string]event.Event{"binary": e, "stored": stored} {
				if got := have.Attr(event.Subject); got != test.value {
					t.Errorf("%s: the value is %q, want %q", mode, got, test.value)
				}
				out := http.Header{}
				event.WriteHTTP(have, out)
				if got := out.Get("Ce-Subject"); got != test.text {
					t.Errorf("%s: it leaves as %q, want %q", mode, got, test.text)
				}
			}
			envelope, contentType := event.Structured(stored)
			again, err := event.FromHTTP(http.Header{"Content-Type": {contentType}}, envelope)
			if err != nil || again.Attr(event.Subject) != test.value {
				t.Errorf("structured: %q, error %v, want %q", again.Attr(event.Subject), err, test.value)
			}
			// What came structured is encoded, as the binding has it: whoever decodes finds the same value.
			out := http.Header{}
			event.WriteHTTP(again, out)
			back, err := event.FromHTTP(out, nil)
			if err != nil || back.Attr(event.Subject) != test.value {
				t.Errorf("structured to binary: %q, error %v, want %q", back.Attr(event.Subject), err, test.value)
			}
		})
	}
}

// Line ends and NUL stay encoded wherever a value becomes a header.
func TestNoValueStartsAHeader(t *testing.T) {
	for _, text := range []string{"a%0D%0AX-Evil:%201", "%00", "%0a", "a%0D%0Ab%2Fc", `"%0D%0A"`} {
		e, err := event.FromHTTP(header("Ce-Subject", text, "Ce-Extension", text), nil)
		if err != nil {
			continue // refused is as good
		}
		out := http.Header{}
		event.WriteHTTP(e.With("other", e.Attr(event.Subject)), out)
		for _, headers := range []map[string][]string{event.ToNATS(e), out} {
			for name, values := range headers {
				if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
					t.Errorf("%s: header %s is %q", text, name, values)
				}
			}
		}
	}
}

// An attribute that is changed on the way leaves by its new value.
func TestAChangedAttributeForgetsItsText(t *testing.T) {
	e, err := event.FromHTTP(header("Ce-Subject", "a b"), nil)
	if err != nil {
		t.Fatal(err)
	}
	out := http.Header{}
	event.WriteHTTP(e.With(event.Subject, "c d"), out)
	if got := out.Get("Ce-Subject"); got != "c%20d" {
		t.Errorf("%q", got)
	}
}

func TestAHeaderThatIsRepeated(t *testing.T) {
	for _, name := range []string{"Ce-Type", "Ce-Subject", "Ce-Extension", "Content-Type"} {
		h := header()
		h[name] = []string{"text/plain", "text/plain"}
		e, err := event.FromHTTP(h, nil)
		attribute := strings.ToLower(strings.TrimPrefix(name, "Ce-"))
		if name == "Content-Type" {
			attribute = event.DataContentType
		}
		if err != nil || e.Attr(attribute) != "text/plain" {
			t.Errorf("%s twice the same: %q, error %v", name, e.Attr(attribute), err)
		}
		h[name] = []string{"text/plain", "text/html"}
		if _, err := event.FromHTTP(h, nil); err == nil || !strings.Contains(err.Error(), attribute) {
			t.Errorf("%s with different values: error %v, want one that names it", name, err)
		}
	}
}
