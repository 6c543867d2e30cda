package event_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// header returns a minimal valid event's header with changes: name, value, name, value; "-"
// removes.
func header(changes ...string) http.Header {
	h := http.Header{
		"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"/source"}, "Ce-Type": {"com.example.made"},
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			h.Del(changes[i])
			continue
		}
		h.Set(changes[i], changes[i+1])
	}
	return h
}

func TestFromHTTPValidatesAsTheSDKDoes(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
		// wantAttribute is the attribute that the error names; "" means that the event is valid.
		wantAttribute string
	}{
		{"minimal event", header(), ""},
		{"all optional attributes", header("Ce-Subject", "s", "Ce-Time", "2018-04-05T17:31:00Z", "Ce-Dataschema",
			"https://example.com/schema", "Content-Type", "text/plain; charset=iso-8859-1", "Ce-Extension", "x"), ""},
		{"version 0.3", header("Ce-Specversion", "0.3", "Ce-Schemaurl", "/relative"), ""},
		{"version 0.2", header("Ce-Specversion", "0.2"), event.SpecVersion},
		{"version empty", header("Ce-Specversion", ""), event.SpecVersion},
		{"id missing", header("Ce-Id", "-"), event.ID},
		{"id empty", header("Ce-Id", ""), event.ID},
		{"id blank", header("Ce-Id", "  "), event.ID},
		{"source missing", header("Ce-Source", "-"), event.Source},
		{"source empty", header("Ce-Source", ""), event.Source},
		{"source relative", header("Ce-Source", "a/b"), ""},
		{"source URN with two colons", header("Ce-Source", "urn:uuid:6e8bc430"), ""},
		{"source with port, user, query, fragment", header("Ce-Source", "http://u@h:80/p?q=1#f"), ""},
		{"source with a bad escape", header("Ce-Source", "/%zz"), event.Source},
		{"source with a colon in front", header("Ce-Source", ":x"), event.Source},
		{"source that says nothing", header("Ce-Source", "#"), event.Source},
		{"source that is an empty authority", header("Ce-Source", "//"), event.Source},
		{"type missing", header("Ce-Type", "-"), event.Type},
		{"type blank", header("Ce-Type", " "), event.Type},
		{"subject empty is absent", header("Ce-Subject", ""), ""},
		{"time without zone", header("Ce-Time", "2018-04-05T17:31:00"), event.Time},
		{"time empty", header("Ce-Time", ""), event.Time},
		{"time with offset and fraction", header("Ce-Time", "2018-04-05T17:31:00.123456789+02:00"), ""},
		{"dataschema relative", header("Ce-Dataschema", "/schema"), event.DataSchema},
		{"dataschema empty is absent", header("Ce-Dataschema", ""), ""},
		{"content type without subtype's end", header("Content-Type", "text/plain; charset"), event.DataContentType},
		{"content type that is none", header("Content-Type", "text/"), event.DataContentType},
		{"content type empty is absent", header("Content-Type", ""), ""},
		{"content type of other media", header("Content-Type", "application/vnd.x+xml;a=\"b c\""), ""},
		{"extension empty", header("Ce-Extension", ""), ""},
		{"extension longer than 20", header("Ce-Abcdefghijklmnopqrstuvwxyz0123456789", "x"), ""},
		{"extension with underscore", header("Ce-My_extension", "x"), "My_extension"},
		{"extension with dash", header("Ce-My-Extension", "x"), "My-Extension"},
		{"content type as ce- header", header("Ce-Datacontenttype", "text/plain"), event.DataContentType},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := event.FromHTTP(test.header, nil)
			theirs, theirErr := readWithSDK(test.header.Clone(), nil)
			if (err == nil) != (theirErr == nil) {
				t.Fatalf("got error %v, the SDK %v", err, theirErr)
			}
			if test.wantAttribute != "" {
				var attribute *event.AttributeError
				if !errors.As(err, &attribute) || attribute.Attribute != test.wantAttribute {
					t.Fatalf("got error %v, want one about %q", err, test.wantAttribute)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if ours, want := normalised(t, e), attributesOf(t, theirs); !maps.Equal(ours, want) {
				t.Errorf("got attributes\n%v, the SDK has\n%v", ours, want)
			}
		})
	}
}

func TestFromHTTPIsStricterThanTheSDK(t *testing.T) {
	twice := header()
	twice["Ce-Type"] = []string{"a", "b"}
	cases := header()
	cases["ce-id"] = []string{"another"}
	contentTypes := header()
	contentTypes["Content-Type"] = []string{"text/plain", "text/html"}
	tests := []struct {
		name          string
		header        http.Header
		wantAttribute string
	}{
		{"header given twice", twice, event.Type},
		{"header given in two cases", cases, event.ID},
		{"content type given twice", contentTypes, event.DataContentType},
		{"bare Latin-1", header("Ce-Subject", "caf\xe9"), event.Subject},
		{"attribute called data", header("Ce-Data", "x"), "Data"},
		{"content encoding of 0.3 that is not base64", header("Ce-Specversion", "0.3", "Ce-Datacontentencoding", "gzip"),
			"datacontentencoding"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := event.FromHTTP(test.header, nil)
			var attribute *event.AttributeError
			if !errors.As(err, &attribute) || attribute.Attribute != test.wantAttribute {
				t.Fatalf("got error %v, want one about %q", err, test.wantAttribute)
			}
		})
	}
}

func TestFromHTTPBoundsTheNumberOfAttributes(t *testing.T) {
	h := header()
	for i := range 1100 {
		h["Ce-X"+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676))] = []string{"x"}
	}
	var attribute *event.AttributeError
	if _, err := event.FromHTTP(h, nil); !errors.As(err, &attribute) {
		t.Errorf("got error %v, want an AttributeError", err)
	}
}

func TestFromHTTPDecodesHeaderValues(t *testing.T) {
	tests := []struct{ name, header, want string }{
		{"plain", "abc", "abc"},
		{"the binding's example", "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"},
		{"lower-case digits", "%e2%82%ac", "€"},
		{"needlessly encoded", "%41", "%41"},
		{"an escape of a URI among others", "a%20b%2Fc", "a%20b%2Fc"},
		{"overlong UTF-8", "%C0%A0", "%C0%A0"},
		{"Latin-1, encoded", "caf%E9", "caf%E9"},
		{"a percent sign beside an escape", "5% of%20it", "5% of%20it"},
		{"unencoded spaces", "hello big world", "hello big world"},
		{"one round only", "%2541", "%41"},
		{"no escape", "100%", "100%"},
		{"bad digits", "%zz%4", "%zz%4"},
		{"unencoded UTF-8", "€", "€"},
		{"quoted string", `"a \"b\" \\ c"`, `a "b" \ c`},
		{"quoted and encoded", `"a%20b"`, "a b"},
		{"two quoted strings", `"a" "b"`, `"a" "b"`},
		{"quote that does not end", `"a\"`, `"a\"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := event.FromHTTP(header("Ce-Subject", test.header), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Attr(event.Subject); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFromHTTPRefusesWhatIsNoEvent(t *testing.T) {
	tests := []struct {
		name   string
		header http.Header
	}{
		{"no headers", nil},
		{"a JSON body", http.Header{"Content-Type": {"application/json"}}},
		{"attributes without a version", header("Ce-Specversion", "-")},
		{"a format that we do not read", http.Header{"Content-Type": {"application/cloudevents+avro"}}},
		{"a batch", http.Header{"Content-Type": {"application/cloudevents-batch+json"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := event.FromHTTP(test.header, []byte("[]")); !errors.Is(err, event.ErrNotCloudEvent) {
				t.Errorf("got error %v, want ErrNotCloudEvent", err)
			}
		})
	}
}

func TestFromHTTPKeepsBinaryBodyInPlace(t *testing.T) {
	body := []byte("{not json")
	e, err := event.FromHTTP(header("Content-Type", "application/json"), body)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Data) != len(body) || &e.Data[0] != &body[0] {
		t.Error("the body was copied")
	}
}

func TestFromHTTPKeepsTravellingHeaders(t *testing.T) {
	want := []event.Header{{Name: "Traceparent", Value: "00-a-b-01"}, {Name: "X-Request-Id", Value: "7"}}
	binary := header("Traceparent", "00-a-b-01", "X-Request-Id", "7", "Accept", "*/*")
	structured := structuredHeader()
	structured.Set("Traceparent", "00-a-b-01")
	structured.Set("X-Request-Id", "7")
	for name, h := range map[string]http.Header{"binary": binary, "structured": structured} {
		e, err := event.FromHTTP(h, []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t"}`))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(e.Headers, want) {
			t.Errorf("%s: got %v, want %v", name, e.Headers, want)
		}
	}
}

func TestWriteHTTP(t *testing.T) {
	e := event.Event{
		Attributes: []event.Attribute{
			{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: "a b"}, {Name: event.Source, Value: "/€"},
			{Name: event.Type, Value: `100%"x"`}, {Name: event.DataContentType, Value: "text/plain; charset=utf-8"},
			{Name: "myextension", Value: "x\r\nEvil: 1"}, {Name: event.HopCount, Value: "3"},
		},
		Headers: []event.Header{{Name: "x-b3-flags", Value: "1"}, {Name: "X-B3-Flags", Value: "2"}},
	}
	got := http.Header{}
	event.WriteHTTP(e, got)
	want := http.Header{
		"Ce-Specversion": {"1.0"}, "Ce-Id": {"a%20b"}, "Ce-Source": {"/%E2%82%AC"}, "Ce-Type": {"100%25%22x%22"},
		"Content-Type": {"text/plain; charset=utf-8"}, "Ce-Myextension": {"x%0D%0AEvil:%201"},
		"Ce-Knativebrokerttl": {"3"}, "X-B3-Flags": {"1", "2"},
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}
