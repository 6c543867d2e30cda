package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// FuzzStructuredAgreesWithSDK reads any envelope with this package and with the SDK. The SDK
// accepts what we accept, with the same attributes and data; we refuse more, for the reasons in
// stricterThanSDK.
func FuzzStructuredAgreesWithSDK(f *testing.F) {
	f.Add([]byte(`{` + required + `,"data":{"a":[1,"x\"]"]},"ext":5,"flag":true}`))
	f.Add([]byte(`{"data":"x\u20ac","datacontenttype":"text/plain",` + required + `,"subject":null}`))
	f.Add([]byte(`{` + required + `,"data_base64":"AAH/","time":"2018-04-05T17:31:00.5+02:00"}`))
	f.Add([]byte(`{` + required03 + `,"data":"AAH/","datacontentencoding":"base64","schemaurl":"/x"}`))
	f.Add([]byte(`{` + required + `,"dataschema":"http://example.com/%zz","id":"2"}`))
	f.Add([]byte(` { "specversion" : "1.0" , "id" : "\u0041" , "source" : "http://a:80/?b#c" , "type" : "t" , "data" : [ ] } `))
	f.Fuzz(func(t *testing.T, body []byte) { requireAgreement(t, body) })
}

// FuzzStructuredMembersAgreeWithSDK compares envelopes that are always JSON: each pair of bytes
// picks a member and its value.
func FuzzStructuredMembersAgreeWithSDK(f *testing.F) {
	names := []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "schemaurl",
		"datacontentencoding", "data", "data_base64", "ext", "a1", "Upper", "with_underscore", ""}
	values := []string{`"1.0"`, `"0.3"`, `"x"`, `"/s"`, `"a b"`, `""`, `" "`, `null`, `true`, `5`, `-0`, `1.5`, `2147483648`,
		`{"a": [1,{}]}`, `[ "]" ]`, `"2026-01-02T03:04:05.678+02:00"`, `"text/plain"`, `"application/json; charset=utf-8"`,
		`"image/png"`, `"text/json"`, `"http://example.com/x"`, `"base64"`, `"AAH/"`, `"a\n\"\u20ac"`, `"%zz"`, `"//"`}
	f.Add([]byte{0, 0, 1, 2, 2, 3, 3, 2})
	f.Add([]byte{10, 13, 0, 0, 1, 2, 2, 20, 3, 2, 6, 17, 12, 9})
	f.Add([]byte{0, 1, 1, 2, 2, 3, 3, 2, 9, 21, 10, 22, 8, 20, 5, 15})
	f.Add([]byte{11, 22, 6, 18, 0, 0, 1, 2, 2, 3, 3, 2, 7, 20, 4, 7})
	// Found by fuzzing: data_base64 with a number, over which the SDK panics, and a blank source.
	f.Add([]byte("\"\x00\x82#0"))
	f.Add([]byte("\"\x00x0X0y 0"))
	f.Fuzz(func(t *testing.T, picks []byte) {
		body := []byte("{")
		for ; len(picks) >= 2; picks = picks[2:] {
			if len(body) > 1 {
				body = append(body, ", "...)
			}
			body = strconv.AppendQuote(body, names[int(picks[0])%len(names)])
			body = append(append(body, ':'), values[int(picks[1])%len(values)]...)
		}
		requireAgreement(t, append(body, '}'))
	})
}

func requireAgreement(t *testing.T, body []byte) {
	t.Helper()
	ours, err := event.FromHTTP(structuredHeader(), body)
	theirs, theirErr := readWithSDK(structuredHeader(), body)
	switch {
	case err != nil && theirErr == nil:
		if !stricterThanSDK(err, body) {
			t.Fatalf("%s: only we refuse it: %v", body, err)
		}
	case err == nil && theirErr != nil:
		if !beyondSDK(ours, body) {
			t.Fatalf("%s: only the SDK refuses it: %v", body, theirErr)
		}
	case err == nil && !beyondSDK(ours, body):
		got, want := normalised(t, ours), attributesOf(t, theirs)
		if contentType, ok := want[event.DataContentType]; ok {
			want[event.DataContentType] = strings.TrimSpace(contentType)
		} else if got[event.DataContentType] == "application/json" {
			delete(got, event.DataContentType)
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%s: got attributes\n%v, the SDK has\n%v", body, got, want)
		}
		if !bytes.Equal(bytes.TrimSpace(ours.Data), bytes.TrimSpace(theirs.Data())) {
			t.Fatalf("%s: got data %q, the SDK has %q", body, ours.Data, theirs.Data())
		}
	}
}

// stricterThanSDK reports whether we follow the specification with this error, and the SDK does
// not.
func stricterThanSDK(err error, body []byte) bool {
	var attribute *event.AttributeError
	if !errors.As(err, &attribute) {
		return false
	}
	switch attribute.Attribute {
	case "data", "data_base64", "datacontentencoding", event.DataSchema, event.SchemaURL:
		// The SDK drops an unparsable schema, takes the last of several payloads, and reads null as
		// a string.
		return true
	case event.Time:
		return true
	case event.Source:
		if regexp.MustCompile(`"source"\s*:\s*"\s+"`).Match(body) {
			return true // a blank one, which the SDK escapes before it looks
		}
	case event.DataContentType:
		return strings.Contains(attribute.Reason, "media type")
	}
	for _, reason := range []string{"more than once", "no attribute name", "integer", "not UTF-8", "one too many"} {
		if strings.Contains(attribute.Reason, reason) {
			return true
		}
	}
	return false
}

// beyondSDK reports whether an envelope has parts that the SDK misreads: JSON types taken for text;
// base64 that is null, escaped or behind white space; halves of surrogate pairs; times with a leap
// second or in lower case.
func beyondSDK(e event.Event, body []byte) bool {
	media, _, _ := strings.Cut(e.Attr(event.DataContentType), ";")
	switch lower := strings.ToLower(strings.TrimSpace(media)); {
	case strings.HasSuffix(lower, "/json"), strings.HasSuffix(lower, "+json"):
		if media != "application/json" && media != "text/json" {
			return true
		}
	}
	if bytes.Contains(body, []byte("base64")) {
		for _, trap := range []string{"null", `\`, ": ", ":\t", ":\r", ":\n"} {
			if bytes.Contains(body, []byte(trap)) {
				return true
			}
		}
	}
	if at, given := e.Get(event.Time); given {
		if _, err := time.Parse(time.RFC3339Nano, at); err != nil {
			return true
		}
	}
	return bytes.Contains(bytes.ToLower(body), []byte(`\ud`))
}

// FuzzRoundTrip sends an event from HTTP through NATS to HTTP, in both content modes at the end.
func FuzzRoundTrip(f *testing.F) {
	f.Add("1", "/source", "com.example", "a b", "x", "text/plain", "00-1-2-01", []byte("data"))
	f.Add("%41", "urn:a:b", "€", `"q"`, "100%", `application/json; a="b c"`, "a%0Ab", []byte(`{"a":1}`))
	f.Add("hello big world", "/50%25off", "a%20b%2Fc", "%c3%a9", `"a\"%20"`, "text/plain", "a\xC3%A9", []byte("data"))
	f.Add("%0D%0A", "http://h/?x#y", "%2500", "%FF", "\xff", "application/x+json", "\x80", []byte("\x00"))
	f.Add("x", "x", "x", "x", "x", "application/cloudevents+json", "x",
		[]byte(`{`+required+`,"data":"\u0000","datacontenttype":"text/plain","e":"\r\n"}`))
	f.Fuzz(func(t *testing.T, id, source, typ, subject, extension, contentType, trace string, data []byte) {
		h := header("Ce-Id", id, "Ce-Source", source, "Ce-Type", typ, "Ce-Subject", subject, "Ce-Extension", extension,
			"Content-Type", contentType, "Traceparent", trace)
		for _, values := range h {
			values[0] = strings.Trim(values[0], " \t\r\n")
		}
		want, err := event.FromHTTP(h, data)
		if err != nil {
			return
		}
		stored := event.ToNATS(want)
		for key, values := range stored {
			for _, value := range values {
				if strings.ContainsAny(key+value, "\r\n\x00") {
					t.Fatalf("NATS header %q: %q", key, value)
				}
			}
		}
		read, err := event.FromNATS(stored, want.Data)
		if err != nil {
			t.Fatalf("what the ingress accepts cannot be read back: %v", err)
		}
		requireSame(t, "from NATS", read, want)
		if strings.HasPrefix(strings.ToLower(want.Attr(event.DataContentType)), "application/cloudevents") {
			return // ambiguous in binary mode; see WriteHTTP
		}
		delivered := http.Header{}
		event.WriteHTTP(read, delivered)
		for name, values := range h {
			if strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }) {
				continue // no HTTP server takes such a header
			}
			if name != "Traceparent" && !event.IsStructured(contentType) && len(delivered[name]) > 0 && delivered[name][0] != values[0] {
				t.Fatalf("%s came as %q and leaves as %q", name, values[0], delivered[name][0])
			}
		}
		arrived, err := event.FromHTTP(delivered, read.Data)
		if err != nil {
			t.Fatalf("what we deliver cannot be read: %v", err)
		}
		requireSame(t, "from binary HTTP", arrived, want)

		envelope, _ := event.Structured(read)
		unpacked, err := event.FromHTTP(structuredHeader(), envelope)
		if err != nil {
			t.Fatalf("the envelope %s cannot be read: %v", envelope, err)
		}
		for _, a := range want.Attributes {
			if got := unpacked.Attr(a.Name); got != a.Value {
				t.Fatalf("from the envelope: %s is %q, want %q", a.Name, got, a.Value)
			}
		}
		kept, err := json.Marshal(want)
		var again event.Event
		if err = errors.Join(err, json.Unmarshal(kept, &again)); err != nil {
			t.Fatal(err)
		}
		requireSame(t, "kept as JSON", again, want)
		for _, values := range delivered {
			if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
				t.Fatalf("HTTP header %q", values)
			}
		}
		if !bytes.Equal(bytes.TrimSpace(unpacked.Data), bytes.TrimSpace(want.Data)) {
			t.Fatalf("from the envelope: got data %q, want %q", unpacked.Data, want.Data)
		}
		if _, err := readWithSDK(structuredHeader(), envelope); err != nil {
			t.Fatalf("the SDK cannot read the envelope %s: %v", envelope, err)
		}
	})
}

func requireSame(t *testing.T, where string, got, want event.Event) {
	t.Helper()
	if !slices.Equal(sorted(got.Attributes), sorted(want.Attributes)) {
		t.Fatalf("%s: got attributes\n%q, want\n%q", where, sorted(got.Attributes), sorted(want.Attributes))
	}
	if !bytes.Equal(got.Data, want.Data) {
		t.Fatalf("%s: got data %q, want %q", where, got.Data, want.Data)
	}
	if !slices.Equal(got.Headers, want.Headers) {
		t.Fatalf("%s: got headers %q, want %q", where, got.Headers, want.Headers)
	}
}
