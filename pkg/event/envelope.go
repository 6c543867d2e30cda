package event

import (
	"bytes"
	"encoding/base64"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/jsonscan"
)

// Structured returns the event in the JSON event format, and the Content-Type of that body.
// Attributes are strings, in the event's order. Travelling headers are left out; see WriteHTTP.
//
// Data of a JSON type is embedded unchanged, UTF-8 text of a text type becomes a string, and all
// other data becomes base64, which the format allows for any data. Data of a type ending in +json
// becomes base64 too: the format would embed it, but the Go SDK cannot read that.
func Structured(e Event) (body []byte, contentType string) {
	return envelopeOf(e, formOf(e)), structuredType
}

// StructuredLine is Structured in one line that reads back as the same event: JSON data becomes
// base64 if it has line breaks or surrounding spaces, or if the event has no datacontenttype.
func StructuredLine(e Event) []byte {
	form := formOf(e)
	if form == inlineForm && (e.Attr(DataContentType) == "" || bytes.ContainsAny(e.Data, "\r\n") || len(bytes.TrimSpace(e.Data)) < len(e.Data)) {
		form = base64Form
	}
	return envelopeOf(e, form)
}

func envelopeOf(e Event, as form) []byte {
	version, data := e.Attr(SpecVersion), e.Data
	if _, encoded := e.Get(dataContentEncoding); encoded && version == version03 {
		// A 0.3 event that came in binary mode with its data already in base64.
		if decoded, err := base64.StdEncoding.DecodeString(string(data)); err == nil {
			data = decoded
		}
		as = base64Form
	}
	size := 64 + base64.StdEncoding.EncodedLen(len(data))
	for _, a := range e.Attributes {
		size += len(a.Name) + len(a.Value) + 8
	}
	out := append(make([]byte, 0, size), '{')
	for _, a := range e.Attributes {
		if a.Name != dataContentEncoding || version != version03 {
			out = appendKey(out, a.Name)
			out = jsonscan.AppendString(out, a.Value)
		}
	}
	switch as {
	case inlineForm:
		out = append(appendKey(out, dataMember), data...)
	case textForm:
		out = jsonscan.AppendString(appendKey(out, dataMember), string(data))
	case base64Form:
		out = appendBase64(out, version, data)
	}
	return append(out, '}')
}

// form is how the JSON envelope holds the data.
type form int

const (
	noData form = iota
	inlineForm
	textForm
	base64Form
)

func formOf(e Event) form {
	if len(e.Data) == 0 {
		return noData
	}
	contentType := e.Attr(DataContentType)
	switch {
	case contentType == "" || isInlineType(contentType):
		// The envelope must be UTF-8, and jsonscan.Valid does not check strings for that.
		if utf8.Valid(e.Data) && jsonscan.Valid(e.Data) {
			return inlineForm
		}
	case isTextType(contentType) && utf8.Valid(e.Data):
		return textForm
	}
	return base64Form
}

// isInlineType reports whether every reader takes data of this type for JSON, also the Go SDK.
func isInlineType(contentType string) bool {
	media, _, parameters := strings.Cut(contentType, ";")
	if parameters {
		media = strings.TrimSpace(media)
	}
	return media == jsonType || media == "text/json" || media == structuredType
}

// isTextType reports whether data of this type is UTF-8 text other than JSON. Readers of a JSON
// type would take a string member for a JSON string.
func isTextType(contentType string) bool {
	if isJSONType(contentType) {
		return false
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	return err == nil && strings.HasPrefix(media, "text/") && isUTF8(parameters["charset"])
}

func appendKey(out []byte, name string) []byte {
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	return append(jsonscan.AppendString(out, name), ':')
}

// appendBase64 appends the member data_base64, or in CloudEvents 0.3 datacontentencoding and data.
func appendBase64(out []byte, version string, data []byte) []byte {
	member := dataBase64Member
	if version == version03 {
		out = jsonscan.AppendString(appendKey(out, dataContentEncoding), encodingBase64)
		member = dataMember
	}
	out = append(appendKey(out, member), '"')
	out = base64.StdEncoding.AppendEncode(out, data)
	return append(out, '"')
}
