package filter

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// query is a CESQL expression. It fails on every error of the evaluation but a missing attribute, as upstream does; see package
// cesql for that one. An integer or string is cast to a boolean, as the Subscriptions API demands; upstream panics there.
type query struct {
	expression *cesql.Expression
}

func (q query) eval(e event.Event) verdict {
	if q.expression.Matches(e.Attributes) {
		return pass
	}
	return fail
}

func compileCESQL(text string, functions []cesql.Function) (query, error) {
	expression, err := cesql.Compile(text, cesql.Environment{Attribute: attributeOf, Functions: functions})
	return query{expression}, err
}

// CheckCESQL returns what is wrong with an expression, nil for one that Compile takes.
func CheckCESQL(text string) error {
	_, err := compileCESQL(text, nil)
	return err
}

// attributeOf returns how CESQL reads the attribute. Every attribute is a String, URIs and times as they print after parsing, as they
// are for upstream, which reads them from HTTP headers.
//
// Source: github.com/cloudevents/sdk-go/sql/v2 utils/event.go.
func attributeOf(name string) cesql.Attribute {
	read := func(e event.Event) string { return e.Attr(name) }
	switch name {
	case event.HopCount:
		read = func(event.Event) string { return "" }
	case event.Source:
		read = func(e event.Event) string { return printedURI(e.Attr(event.Source)) }
	case event.Time:
		read = readTime
	case event.DataSchema:
		read = func(e event.Event) string { return valueOf(e, event.DataSchema) }
	case event.SchemaURL, dataContentEncoding:
		return version03Attribute(name)
	case event.SpecVersion, event.ID, event.Type, event.Subject, event.DataContentType:
	default:
		return extension(name)
	}
	return func(attributes []event.Attribute) (cesql.Value, bool) {
		value := read(event.Event{Attributes: attributes})
		return cesql.StringValue(value), value != ""
	}
}

// extension may be there and empty.
func extension(name string) cesql.Attribute {
	return func(attributes []event.Attribute) (cesql.Value, bool) {
		value, ok := event.Event{Attributes: attributes}.Get(name)
		return cesql.StringValue(value), ok
	}
}

// version03Attribute is an attribute of CloudEvents 0.3 that CESQL does not know, and an extension of later versions.
func version03Attribute(name string) cesql.Attribute {
	read := extension(name)
	return func(attributes []event.Attribute) (cesql.Value, bool) {
		if (event.Event{Attributes: attributes}).Attr(event.SpecVersion) == version03 {
			return cesql.Value{}, false
		}
		return read(attributes)
	}
}

// readTime returns "" for the zero time too, which is no time for the SDK.
func readTime(e event.Event) string {
	t, err := time.Parse(time.RFC3339Nano, e.Attr(event.Time))
	if err != nil || t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}
