package filter

import (
	"fmt"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// query is a CESQL expression. It fails on every error of the evaluation but a missing attribute, of which package cesql has more to
// say. An Integer or String is cast to a Boolean, as the Subscriptions API demands; upstream panics there.
type query struct {
	expression *cesql.Expression
}

func (q query) eval(e event.Event) verdict {
	matches, undecided := q.expression.Decide(e.Attributes)
	switch {
	case matches:
		return pass
	case undecided:
		return open
	default:
		return fail
	}
}

func compileCESQL(text string, functions []cesql.Function) (query, error) {
	expression, err := cesql.Compile(text, cesql.Environment{Attribute: AttributeOf, Functions: functions})
	return query{expression}, err
}

// CheckCESQL returns what is wrong with an expression, nil for one that Compile takes and that calls no function but the specification's
// and these: another one would make it false for every event.
func CheckCESQL(text string, functions ...cesql.Function) error {
	q, err := compileCESQL(text, functions)
	if err != nil {
		return err
	}
	if missing := q.expression.MissingFunctions(); len(missing) > 0 {
		return fmt.Errorf("no such function: %s", strings.Join(missing, ", "))
	}
	return nil
}

// AttributeOf returns how CESQL reads an attribute. Every attribute is a String, as it is for upstream, which reads them from HTTP
// headers: URIs and times too, whose very text counts.
//
// Source: github.com/cloudevents/sdk-go/sql/v2 utils/event.go.
func AttributeOf(name string) cesql.Attribute {
	read := readerOf(name)
	return func(attributes []event.Attribute) (cesql.Value, bool) {
		text, ok := read(event.Event{Attributes: attributes})
		return cesql.StringValue(text), ok
	}
}

func readerOf(name string) func(event.Event) (string, bool) {
	switch name {
	case event.HopCount:
		return func(event.Event) (string, bool) { return "", false }
	case event.SpecVersion, event.ID, event.Source, event.Type, event.Subject, event.Time, event.DataSchema, event.DataContentType:
		return func(e event.Event) (string, bool) {
			value := ValueOf(e, name)
			return value, value != ""
		}
	case event.SchemaURL, dataContentEncoding:
		// CESQL does not know these two of CloudEvents 0.3. In later versions they are extensions.
		return func(e event.Event) (string, bool) {
			if e.Attr(event.SpecVersion) == version03 {
				return "", false
			}
			return e.Get(name)
		}
	default:
		// An extension may be there and empty.
		return func(e event.Event) (string, bool) { return e.Get(name) }
	}
}
