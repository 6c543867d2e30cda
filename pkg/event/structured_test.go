package event_test

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cloudevents/sdk-go/v2/types"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

const required = `"specversion":"1.0","id":"1","source":"/s","type":"t"`

const required03 = `"specversion":"0.3","id":"1","source":"/s","type":"t"`

func canonical(t testing.TB, value any) string {
	t.Helper()
	text, err := types.Format(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestFromHTTPReadsStructuredData(t *testing.T) {
	tests := []struct{ name, body, wantData, wantContentType string }{
		{"JSON object stays as it stands", `{` + required + `,"datacontenttype":"application/json","data": {"b": 1.50, "a" :[ ] } }`,
			`{"b": 1.50, "a" :[ ] }`, "application/json"},
		{"data before everything else", `{"data":[1,{"x":"]}"}],` + required + `}`, `[1,{"x":"]}"}]`, "application/json"},
		{"no content type means JSON", `{` + required + `,"data":"text"}`, `"text"`, "application/json"},
		{"null is JSON data", `{` + required + `,"data":null}`, "null", "application/json"},
		{"number", `{` + required + `,"data":-1e3}`, "-1e3", "application/json"},
		{"a +json type", `{` + required + `,"datacontenttype":"application/x+JSON; a=b","data":{"a":"\u0041"}}`,
			`{"a":"\u0041"}`, "application/x+JSON; a=b"},
		{"text is unescaped", `{` + required + `,"datacontenttype":"text/xml","data":"<a b=\"\u20ac\">\n"}`,
			"<a b=\"€\">\n", "text/xml"},
		{"text without escapes", `{` + required + `,"datacontenttype":"text/plain","data":"plain"}`, "plain", "text/plain"},
		{"null where text is due", `{` + required + `,"datacontenttype":"text/plain","data":null}`, "", "text/plain"},
		{"binary", `{` + required + `,"datacontenttype":"image/png","data_base64":"AAH/"}`, "\x00\x01\xff", "image/png"},
		{"binary without a type", `{` + required + `,"data_base64":"AAH\/"}`, "\x00\x01\xff", ""},
		{"null binary beside data", `{` + required + `,"data":1,"data_base64":null}`, "1", "application/json"},
		{"no data", `{` + required + `}`, "", ""},
		{"0.3 with JSON", `{` + required03 + `,"data":{"a":1}}`, `{"a":1}`, "application/json"},
		{"0.3 in base64", `{` + required03 + `,"data":"AAH/","datacontentencoding":"base64","datacontenttype":"image/png"}`,
			"\x00\x01\xff", "image/png"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := event.FromHTTP(structuredHeader(), []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if string(e.Data) != test.wantData {
				t.Errorf("got data %q, want %q", e.Data, test.wantData)
			}
			if got := e.Attr(event.DataContentType); got != test.wantContentType {
				t.Errorf("got content type %q, want %q", got, test.wantContentType)
			}
			if _, ok := e.Get("datacontentencoding"); ok {
				t.Error("the data is decoded and still said to be encoded")
			}
		})
	}
}

func TestFromHTTPReadsStructuredAttributes(t *testing.T) {
	body := `{` + required + `,"subject":null,"a":"x","b":true,"c":false,"d":-2147483648,"e":0,"f":null,"g":"","h":"\u0041"}`
	e, err := event.FromHTTP(structuredHeader(), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := []event.Attribute{
		{Name: "specversion", Value: "1.0"}, {Name: "id", Value: "1"}, {Name: "source", Value: "/s"}, {Name: "type", Value: "t"},
		{Name: "a", Value: "x"}, {Name: "b", Value: "true"}, {Name: "c", Value: "false"}, {Name: "d", Value: "-2147483648"},
		{Name: "e", Value: "0"}, {Name: "g", Value: ""}, {Name: "h", Value: "A"},
	}
	if !slices.Equal(e.Attributes, want) {
		t.Errorf("got %v, want %v", e.Attributes, want)
	}
}

func TestFromHTTPRefusesStructured(t *testing.T) {
	tests := []struct{ name, body, wantAttribute string }{
		{"version missing", `{"id":"1","source":"/s","type":"t"}`, event.SpecVersion},
		{"version twice", `{` + required + `,"specversion":"1.0"}`, event.SpecVersion},
		{"id twice", `{` + required + `,"id":"1"}`, event.ID},
		{"id null and then given", `{"id":null,` + required + `}`, event.ID},
		{"id null", `{"specversion":"1.0","id":null,"source":"/s","type":"t"}`, event.ID},
		{"id twice, once escaped", `{` + required + `,"i\u0064":"1"}`, event.ID},
		{"subject null twice", `{` + required + `,"subject":null,"subject":null}`, event.Subject},
		{"id a number", `{"specversion":"1.0","id":1,"source":"/s","type":"t"}`, event.ID},
		{"type an object", `{"specversion":"1.0","id":"1","source":"/s","type":{}}`, event.Type},
		{"time a number", `{` + required + `,"time":5}`, event.Time},
		{"time empty", `{` + required + `,"time":""}`, event.Time},
		{"extension an object", `{` + required + `,"ext":{"a":1}}`, "ext"},
		{"extension an array", `{` + required + `,"ext":[]}`, "ext"},
		{"extension a fraction", `{` + required + `,"ext":1.5}`, "ext"},
		{"extension an exponent", `{` + required + `,"ext":1e2}`, "ext"},
		{"extension beyond 32 bits", `{` + required + `,"ext":2147483648}`, "ext"},
		{"extension in upper case", `{` + required + `,"Ext":"x"}`, "Ext"},
		{"extension without a name", `{` + required + `,"":"x"}`, ""},
		{"extension not UTF-8", `{` + required + `,"ext":"` + "\xff" + `"}`, "ext"},
		{"JSON data not UTF-8", `{` + required + `,"data":{"a":"` + "\xff" + `"}}`, "data"},
		{"an extension with half a surrogate pair", `{` + required + `,"ext":"a\ud800"}`, "ext"},
		{"an extension with the other half", `{` + required + `,"ext":"a\udc00b"}`, "ext"},
		{"an extension with two first halves", `{` + required + `,"ext":"\ud83d\ud83d\ude00"}`, "ext"},
		{"text with half a surrogate pair", `{` + required + `,"datacontenttype":"text/plain","data":"\ud800"}`, "data"},
		{"both payloads", `{` + required + `,"data":1,"data_base64":"AA=="}`, "data_base64"},
		{"data twice", `{` + required + `,"data":1,"data":1}`, "data"},
		{"data_base64 twice", `{` + required + `,"data_base64":"","data_base64":""}`, "data_base64"},
		{"data_base64 not base64", `{` + required + `,"data_base64":"!"}`, "data_base64"},
		{"data_base64 no string", `{` + required + `,"data_base64":1}`, "data_base64"},
		{"data_base64 in 0.3", `{` + required03 + `,"data_base64":"AA=="}`, "data_base64"},
		{"other encoding in 0.3", `{` + required03 + `,"datacontentencoding":"gzip","data":""}`, "datacontentencoding"},
		{"encoded data no string in 0.3", `{` + required03 + `,"datacontentencoding":"base64","data":1}`, "data"},
		{"object where text is due", `{` + required + `,"datacontenttype":"text/plain","data":{}}`, "data"},
		{"text not UTF-8", `{` + required + `,"datacontenttype":"text/plain","data":"` + "\xff" + `"}`, "data"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := event.FromHTTP(structuredHeader(), []byte(test.body))
			var attribute *event.AttributeError
			if !errors.As(err, &attribute) || attribute.Attribute != test.wantAttribute {
				t.Fatalf("got error %v, want one about %q", err, test.wantAttribute)
			}
		})
	}
}

func TestFromHTTPRefusesMalformedEnvelope(t *testing.T) {
	for _, body := range []string{"", "{", `{` + required, `{` + required + `}x`, "[]", `"x"`, "null", `{` + required + `,}`} {
		if _, err := event.FromHTTP(structuredHeader(), []byte(body)); !errors.Is(err, event.ErrMalformed) {
			t.Errorf("%q: got error %v, want ErrMalformed", body, err)
		}
	}
}

func TestStructuredIsReadBackByTheSDK(t *testing.T) {
	tests := []struct{ name, version, contentType, data, wantMember string }{
		{"JSON", "1.0", "application/json", `{"a": [1, "é"]}`, `"data":{"a": [1, "é"]}`},
		{"JSON with charset", "1.0", "application/json; charset=utf-8", `7`, `"data":7`},
		{"JSON without a content type", "1.0", "", `{"a":1}`, `"data":{"a":1}`},
		{"JSON that is none", "1.0", "application/json", `{a`, `"data_base64":"e2E="`},
		{"JSON with broken UTF-8", "1.0", "application/json", "\"\xff\"", `"data_base64":"Iv8i"`},
		{"no content type, no JSON", "1.0", "", "hello", `"data_base64":"aGVsbG8="`},
		{"JSON in capitals, which the SDK takes for text", "1.0", "Application/JSON", `{"a":1}`, `"data_base64":"eyJhIjoxfQ=="`},
		{"a +json type, which the SDK cannot read inline", "1.0", "application/x+json", `{"a":1}`, `"data_base64":"eyJhIjoxfQ=="`},
		{"text", "1.0", "text/plain", "a \"b\"\\\n\x01é\u2028", `"data":"a \"b\"\\\u000A\u0001é` + "\u2028" + `"`},
		{"text in UTF-8", "1.0", "text/html; charset=UTF-8", "é", `"data":"é"`},
		{"text in Latin-1", "1.0", "text/plain; charset=iso-8859-1", "abc", `"data_base64":"YWJj"`},
		{"text that is not UTF-8", "1.0", "text/plain", "\xe9", `"data_base64":"6Q=="`},
		{"binary", "1.0", "image/png", "\x00\xff", `"data_base64":"AP8="`},
		{"no data", "1.0", "image/png", "", ""},
		{"0.3 JSON", "0.3", "application/json", `{}`, `"data":{}`},
		{"0.3 text", "0.3", "text/plain", "x", `"data":"x"`},
		{"0.3 binary", "0.3", "image/png", "\x00\xff", `"datacontentencoding":"base64","data":"AP8="`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := event.Event{Data: []byte(test.data)}
			e = e.With(event.SpecVersion, test.version).With(event.ID, "i\"1").With(event.Source, "/s").With(event.Type, "t\n€")
			e = e.With("ext", "5")
			if test.contentType != "" {
				e = e.With(event.DataContentType, test.contentType)
			}
			body, contentType := event.Structured(e)
			if !bytes.Contains(body, []byte(test.wantMember)) {
				t.Errorf("got %s, want %s in it", body, test.wantMember)
			}
			h := structuredHeader()
			h.Set("Content-Type", contentType)
			theirs, err := readWithSDK(h, body)
			if err != nil {
				t.Fatalf("the SDK refuses %s: %v", body, err)
			}
			if got, want := attributesOf(t, theirs), normalised(t, e); !maps.Equal(got, want) {
				t.Errorf("the SDK reads attributes\n%v, want\n%v", got, want)
			}
			if string(theirs.Data()) != test.data {
				t.Errorf("the SDK reads data %q, want %q", theirs.Data(), test.data)
			}
			ours, err := event.FromHTTP(h, body)
			if err != nil || string(ours.Data) != test.data {
				t.Errorf("we read data %q, error %v, want %q", ours.Data, err, test.data)
			}
		})
	}
}

func TestStructuredKeepsEncodedDataOf03(t *testing.T) {
	binary := header("Ce-Specversion", "0.3", "Ce-Datacontentencoding", "base64", "Content-Type", "image/png")
	e, err := event.FromHTTP(binary, []byte("AP8="))
	if err != nil {
		t.Fatal(err)
	}
	if string(e.Data) != "AP8=" {
		t.Errorf("got data %q, want it as it came", e.Data)
	}
	body, _ := event.Structured(e)
	if want := []byte(`"datacontentencoding":"base64","data":"AP8="`); !bytes.Contains(body, want) {
		t.Errorf("got %s, want %s in it once", body, want)
	}
	if bytes.Count(body, []byte("datacontentencoding")) != 1 {
		t.Errorf("got %s, want one datacontentencoding", body)
	}
}

// A structured message that announces a charset other than UTF-8 is refused.
func TestCharsetOfStructured(t *testing.T) {
	for _, test := range []struct {
		parameters string
		refused    bool
	}{
		{"", false}, {";", false}, {"; charset=UTF-8", false}, {";charset=utf-8", false}, {`; charset="utf-8"`, false}, {"; charset=utf8; x=y", false},
		{"; charset=us-ascii", false}, {"; x=y", false}, {"; x", false},
		{"; charset=iso-8859-1", true}, {"; CHARSET=Latin1", true}, {`; charset="utf-16"`, true}, {"; charset=utf-16le; x=y", true},
		{"; charset=utf-8; charset=utf-16", true}, {"; charset='utf-16'; x", true},
		{"; charset=", false}, {"; charset=utf-8; charset=UTF-8", false}, {"; charset=utf-8; x", false}, {"; charset='utf-8'", false},
	} {
		const one = `{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"é"}`
		single, batch := "application/cloudevents+json"+test.parameters, "application/cloudevents-batch+json"+test.parameters
		_, err := event.FromHTTP(http.Header{"Content-Type": {single}}, []byte(one))
		_, batchErr := event.DecodeBatch(http.Header{"Content-Type": {batch}}, []byte("["+one+"]"))
		_, natsErr := event.FromNATS(map[string][]string{"Content-Type": {single}}, []byte(one))
		for mode, err := range map[string]error{"structured": err, "batch": batchErr, "NATS": natsErr} {
			if test.refused != errors.Is(err, event.ErrCharset) || !test.refused && err != nil || test.refused && !strings.Contains(strings.ToLower(err.Error()), "; charset=") {
				t.Errorf("%s %q: error %v", mode, test.parameters, err)
			}
		}
	}
}
