package event_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// A subscriber gets the header text that the sender wrote, through NATS and as a reply: the SDKs
// for Go and JavaScript neither encode nor decode. Filters, the JSON format and de-duplication see
// the same value in every mode.
func TestHeaderTextIsKept(t *testing.T) {
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
		{"an escape beside half a character", "/caf%E9%20bar", "/caf%E9%20bar"},
		{"half of a surrogate pair", "%ED%A0%80", "%ED%A0%80"},
		{"an overlong form", "%C0%A0", "%C0%A0"},
		{"encoded twice", "a%2520b", "a%20b"},
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
			// A value from a structured message is percent-encoded in the header, as the binding
			// has it.
			out := http.Header{}
			event.WriteHTTP(again, out)
			back, err := event.FromHTTP(out, nil)
			if err != nil || back.Attr(event.Subject) != test.value {
				t.Errorf("structured to binary: %q, error %v, want %q", back.Attr(event.Subject), err, test.value)
			}
		})
	}
}

// %25 in a URI is taken literally where decoding would leave no URI and refuse a valid event.
func TestAURIKeepsAnEscapedPercentSign(t *testing.T) {
	for _, test := range []struct{ name, header, text, value string }{
		{event.Source, "Ce-Source", "/50%25off", "/50%25off"},
		{event.Source, "Ce-Source", "/50%25%20off", "/50%25%20off"},
		{event.Source, "Ce-Source", "/50%2525off", "/50%25off"},
		{event.Source, "Ce-Source", "/caf%C3%A9", "/café"},
		{event.DataSchema, "Ce-Dataschema", "http://example.com/50%25off", "http://example.com/50%25off"},
		{"extension", "Ce-Extension", "/50%25off", "/50%off"},
	} {
		e, err := event.FromHTTP(header(test.header, test.text), nil)
		if err != nil {
			t.Errorf("%s %s: %v", test.name, test.text, err)
			continue
		}
		stored, err := event.FromNATS(event.ToNATS(e), nil)
		if err != nil || stored.Attr(test.name) != test.value || e.Attr(test.name) != test.value {
			t.Errorf("%s %s: values %q and %q, error %v, want %q", test.name, test.text, e.Attr(test.name), stored.Attr(test.name), err, test.value)
		}
		out := http.Header{}
		event.WriteHTTP(stored, out)
		if got := out.Get(test.header); got != test.text {
			t.Errorf("%s %s leaves as %q", test.name, test.text, got)
		}
		envelope, contentType := event.Structured(stored)
		again, err := event.FromHTTP(http.Header{"Content-Type": {contentType}}, envelope)
		if err != nil || again.Attr(test.name) != test.value {
			t.Errorf("%s %s, structured: %q, error %v", test.name, test.text, again.Attr(test.name), err)
		}
	}
}

// Lower-case t and z, and leap seconds (RFC 3339), are accepted and leave as they came.
func TestTimeTextIsKept(t *testing.T) {
	for _, test := range []struct {
		time  string
		valid bool
	}{
		{"2024-01-01t00:00:00z", true}, {"2024-01-01T00:00:00z", true}, {"2024-01-01t01:00:00.5+01:00", true},
		{"2016-12-31T23:59:60Z", true}, {"2016-12-31t23:59:60.25z", true}, {"1998-12-31T15:59:60.123-08:00", true}, {"2017-01-01T05:29:60+05:30", true},
		{"2016-12-31T23:59:61Z", false}, {"2016-12-31T22:59:60Z", false}, {"2016-12-31T23:58:60Z", false}, {"2016-12-31T23:60:00Z", false},
		{"2016-12-31T23:59:60", false}, {"2016-12-31T23:59:60+01:00", false}, {"2016-12-32T23:59:60Z", false}, {"2024-01-01 00:00:00Z", false},
	} {
		e, err := event.FromHTTP(header("Ce-Time", test.time), nil)
		body := []byte(`{` + required + `,"time":"` + test.time + `"}`)
		if _, inJSON := event.FromHTTP(structuredHeader(), body); test.valid != (err == nil) || test.valid != (inJSON == nil) {
			t.Errorf("%s: errors %v and, structured, %v", test.time, err, inJSON)
		}
		if !test.valid {
			continue
		}
		out := http.Header{}
		stored, err := event.FromNATS(event.ToNATS(e), nil)
		if event.WriteHTTP(stored, out); err != nil || out.Get("Ce-Time") != test.time {
			t.Errorf("%s leaves as %q, error %v", test.time, out.Get("Ce-Time"), err)
		}
	}
}

// A header with half a character unescaped and half escaped is refused: it is not UTF-8.
func TestHalfEscapedCharacterIsRefused(t *testing.T) {
	if e, err := event.FromHTTP(header("Ce-Subject", "caf\xC3%A9"), nil); err == nil {
		t.Errorf("taken as %q", e.Attr(event.Subject))
	}
}

// An attribute keeps its header text in JSON, and drops a text that does not stand for its value.
func TestHeaderTextIsKeptInJSON(t *testing.T) {
	for _, text := range []string{"order-17", "hello big world", "hello%20big%20world", "group%2Fproject", `"hello"`} {
		e, err := event.FromHTTP(header("Ce-Subject", text), nil)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var again event.Event
		if err := json.Unmarshal(kept, &again); err != nil {
			t.Fatal(err)
		}
		out := http.Header{}
		event.WriteHTTP(again, out)
		if got := out.Get("Ce-Subject"); got != text || again.Attr(event.Subject) != e.Attr(event.Subject) {
			t.Errorf("%q comes back as %q in %s", text, got, kept)
		}
	}
	for _, text := range []string{`a\r\nX-Evil: 1`, `b`, `a\u0000`} {
		var a event.Attribute
		if err := json.Unmarshal([]byte(`{"Name":"subject","Value":"a","Text":"`+text+`"}`), &a); err != nil {
			t.Fatal(err)
		}
		out := http.Header{}
		event.WriteHTTP(event.Event{Attributes: []event.Attribute{a}}, out)
		if got := out.Get("Ce-Subject"); got != "a" {
			t.Errorf("%q leaves as %q", text, got)
		}
	}
}

// CR, LF and NUL are percent-encoded in every header.
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

// A changed attribute is written with its new value.
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

func TestRepeatedHeader(t *testing.T) {
	h := header()
	h["Ce-Subject"] = []string{"a b", "a%20b"}
	e, err := event.FromHTTP(h, nil)
	out := http.Header{}
	if event.WriteHTTP(e, out); err != nil || out.Get("Ce-Subject") != "a b" {
		t.Errorf("two spellings of one value: %q, error %v", out.Get("Ce-Subject"), err)
	}
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
		if _, err := event.FromHTTP(h, nil); err == nil || !strings.Contains(err.Error(), attribute) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s with different values: error %v, want one that names it", name, err)
		}
	}
}

// A message with different content types is refused: the content mode would depend on the order.
func TestRepeatedContentType(t *testing.T) {
	const one = `{"specversion":"1.0","id":"1","source":"/s","type":"t"}`
	for _, test := range []struct {
		types []string
		body  string
		valid bool
	}{
		{[]string{"application/cloudevents+json", "application/cloudevents+json"}, one, true},
		{[]string{"application/cloudevents+json", "text/plain"}, one, false},
		{[]string{"text/plain", "application/cloudevents+json"}, one, false},
		{[]string{"application/cloudevents-batch+json", "application/cloudevents-batch+json"}, "[" + one + "]", true},
		{[]string{"application/cloudevents-batch+json", "text/plain"}, "[" + one + "]", false},
		{[]string{"text/plain", "application/cloudevents-batch+json"}, "[" + one + "]", false},
	} {
		h := header()
		h["Content-Type"] = test.types
		var err error
		if event.IsBatch(test.types[0]) {
			_, err = event.DecodeBatch(h, []byte(test.body))
		} else {
			_, err = event.FromHTTP(h, []byte(test.body))
		}
		if test.valid != (err == nil) || err != nil && !strings.Contains(err.Error(), "Content-Type") {
			t.Errorf("%q: error %v", test.types, err)
		}
	}
}

// NATS distinguishes header names by case, net/http does not.
func TestNATSHeaderInBothCases(t *testing.T) {
	for _, test := range []struct {
		upper, lower string
		valid        bool
	}{{"order-17", "order-17", true}, {"a b", "a%20b", true}, {"order-17", "order-18", false}, {"order-17", "", false}} {
		h := map[string][]string{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"/s"}, "ce-type": {"t"}, "Ce-Extension": {test.upper}, "ce-extension": {test.lower}}
		if e, err := event.FromNATS(h, nil); test.valid != (err == nil) || err != nil && !strings.Contains(err.Error(), "extension") {
			t.Errorf("%q and %q: %q, error %v", test.upper, test.lower, e.Attr("extension"), err)
		}
	}
}

// A Header keeps any bytes in JSON.
func TestHeaderBytesAreKeptInJSON(t *testing.T) {
	for _, value := range []string{"plain", "a b%20c", "é", "caf\xe9", ""} {
		data, err := json.Marshal(event.Header{Name: "Kn-Shop", Value: value})
		if err != nil {
			t.Fatal(err)
		}
		var again event.Header
		if err := json.Unmarshal(data, &again); err != nil || again.Value != value || again.Name != "Kn-Shop" {
			t.Errorf("%q comes back as %+v in %s, error %v", value, again, data, err)
		}
	}
}
