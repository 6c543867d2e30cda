package filter

import (
	"errors"
	"fmt"

	cesql "github.com/cloudevents/sdk-go/sql/v2"
	"github.com/cloudevents/sdk-go/sql/v2/parser"
	"github.com/cloudevents/sdk-go/sql/v2/utils"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding/spec"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// maxCESQL is the longest expression in bytes: the parser needs quadratic time for some malformed ones.
const maxCESQL = 16 << 10

// query is a CESQL expression. Its functions are those of the engine and those that the process added to it (package
// runtime of the engine); they are looked up at each evaluation.
type query struct {
	expression cesql.Expression
}

func parseCESQL(text string) (q query, err error) {
	if len(text) > maxCESQL {
		return query{}, fmt.Errorf("longer than %d bytes", maxCESQL)
	}
	// The parser panics at some malformed expressions; upstream's webhook recovers from them too.
	defer func() {
		if recover() != nil {
			q, err = query{}, errors.New("malformed expression")
		}
	}()
	expression, err := parser.Parse(text)
	if err != nil {
		return query{}, err
	}
	return query{expression}, nil
}

// eval passes when the expression is true. It fails on every error, also when there is a value besides, as upstream does.
// An integer or string is cast to a boolean, as the Subscriptions API demands; upstream panics there.
func (q query) eval(e event.Event, r *Reading) (v verdict) {
	v = fail
	defer func() {
		// The engine is not ours: whatever it can't take is an evaluation error.
		if recover() != nil {
			v = fail
		}
	}()
	result, err := q.expression.Evaluate(cloudevents.Event{Context: r.contextOf(e)})
	if err != nil {
		return fail
	}
	if truth, err := utils.Cast(result, cesql.BooleanType); err != nil || truth != true {
		return fail
	}
	return pass
}

// contextOf returns what the engine evaluates, which does not change it.
func (r *Reading) contextOf(e event.Event) cloudevents.EventContext {
	if r == nil {
		return contextOf(e)
	}
	if r.context == nil {
		r.context = contextOf(e)
	}
	return r.context
}

// contextOf builds what the engine evaluates. Extensions are strings, as they are for upstream, which reads them from HTTP
// headers. What the SDK refuses is left out: the codec let it in, so it is no reason to lose the event.
func contextOf(e event.Event) cloudevents.EventContext {
	version := spec.VS.Version(e.Attr(event.SpecVersion))
	if version == nil {
		version = spec.V1
	}
	context := version.NewContext()
	for _, a := range e.Attributes {
		if a.Name == event.HopCount {
			continue
		}
		// SetAttribute takes every name that it doesn't know for an extension.
		_ = version.SetAttribute(context, a.Name, a.Value)
	}
	return context
}
