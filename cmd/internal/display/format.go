package display

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// maxNesting bounds the indentation of JSON data: indented, the depth alone makes a document grow with its square.
const maxNesting = 100

// Text is the event as people read it, with so many bytes of its data at most: a title, one attribute per line, then the data.
func Text(title string, e event.Event, maxData int) string {
	var out bytes.Buffer
	appendEvent(&out, title, e, maxData)
	return out.String()
}

// appendEvent writes the event as people read it: a title, one attribute per line with the values aligned, then the data.
func appendEvent(out *bytes.Buffer, title string, e event.Event, maxData int) {
	fmt.Fprintf(out, "%s\n", title)
	attributes := ordered(e.Attributes)
	width := 0
	for _, a := range attributes {
		width = max(width, len(a.Name))
	}
	for _, a := range attributes {
		fmt.Fprintf(out, "  %-*s  %s\n", width+1, a.Name+":", Escape(a.Value, ""))
	}
	appendData(out, e, maxData)
	out.WriteByte('\n')
}

// appendLine writes the event's identity in one line.
func appendLine(out *bytes.Buffer, name string, e event.Event) {
	fmt.Fprintf(out, "%s %s %s\n", name, Escape(e.Attr(event.Type), ""), Escape(e.Attr(event.ID), ""))
}

// ordered returns the attributes as the specification lists them, then the extensions by name.
func ordered(attributes []event.Attribute) []event.Attribute {
	order := []string{
		event.SpecVersion, event.Type, event.Source, event.Subject, event.ID, event.Time,
		event.DataSchema, event.SchemaURL, event.DataContentType,
	}
	rank := func(a event.Attribute) int {
		if i := slices.Index(order, a.Name); i >= 0 {
			return i
		}
		return len(order)
	}
	sorted := slices.Clone(attributes)
	slices.SortFunc(sorted, func(a, b event.Attribute) int {
		if difference := rank(a) - rank(b); difference != 0 {
			return difference
		}
		return strings.Compare(a.Name, b.Name)
	})
	return sorted
}

func appendData(out *bytes.Buffer, e event.Event, maxData int) {
	if len(e.Data) == 0 {
		return
	}
	if !utf8.Valid(e.Data) {
		fmt.Fprintf(out, "  data: %d bytes that are not text\n", len(e.Data))
		return
	}
	text, cut := e.Data, 0
	if pretty, ok := indented(e, maxData); ok {
		text = pretty
	}
	if len(text) > maxData {
		text, cut = head(text, maxData), len(e.Data)
	}
	out.WriteString("  data:\n")
	for line := range strings.Lines(string(text)) {
		out.WriteString("    " + Escape(strings.TrimRight(line, "\r\n"), "\t") + "\n")
	}
	if cut > 0 {
		fmt.Fprintf(out, "    ... cut, the data has %d bytes\n", cut)
	}
}

// indented returns JSON data with two spaces per level, when it is JSON and worth it.
func indented(e event.Event, maxData int) ([]byte, bool) {
	mediaType, _, _ := mime.ParseMediaType(e.Attr(event.DataContentType))
	isJSON := mediaType == "" || mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
	if !isJSON || len(e.Data) > maxData || nesting(e.Data) > maxNesting {
		return nil, false
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, e.Data, "", "  "); err != nil {
		return nil, false
	}
	return pretty.Bytes(), true
}

// nesting returns how deep the brackets of a JSON document are nested.
func nesting(document []byte) int {
	depth, deepest, inString := 0, 0, false
	for i := 0; i < len(document); i++ {
		switch c := document[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// head returns the first bytes of the text, at most limit, without cutting a rune in two.
func head(text []byte, limit int) []byte {
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
