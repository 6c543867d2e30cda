package filter_test

import (
	"context"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"go.uber.org/zap"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/broker"
	"knative.dev/eventing/pkg/eventfilter"
	"knative.dev/eventing/pkg/eventfilter/attributes"
	"knative.dev/eventing/pkg/eventfilter/subscriptionsapi"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/filter"
)

// upstreamEvent is the event as upstream's filter gets it: read from HTTP headers, the hop count removed. It returns an
// error for an event that upstream's ingress would have refused.
func upstreamEvent(e event.Event) (cloudevents.Event, error) {
	header := http.Header{}
	for _, a := range e.Attributes {
		name := textproto.CanonicalMIMEHeaderKey("ce-" + a.Name)
		if a.Name == event.DataContentType {
			name = "Content-Type"
		}
		header[name] = []string{a.Value}
	}
	read, err := binding.ToEvent(context.Background(), cehttp.NewMessage(header, nil))
	if err != nil {
		return cloudevents.Event{}, err
	}
	if err := read.Validate(); err != nil {
		return cloudevents.Event{}, err
	}
	return *read, broker.DeleteTTL(read.Context)
}

// upstreamFilter makes upstream's filter of a spec.
//
// Source: knative.dev/eventing pkg/broker/filter/filter_handler.go filterEvent.
func upstreamFilter(spec filter.Spec) eventfilter.Filter {
	switch {
	case len(spec.Filters) > 0:
		return subscriptionsapi.CreateSubscriptionsAPIFilters(zap.NewNop(), upstreamList(spec.Filters))
	case spec.Attributes != nil:
		return attributes.NewAttributesFilter(spec.Attributes)
	default:
		return subscriptionsapi.NewNoFilter()
	}
}

func upstreamList(expressions []filter.Expression) []eventingv1.SubscriptionsAPIFilter {
	list := make([]eventingv1.SubscriptionsAPIFilter, 0, len(expressions))
	for _, e := range expressions {
		list = append(list, upstreamExpression(e))
	}
	return list
}

func upstreamExpression(e filter.Expression) eventingv1.SubscriptionsAPIFilter {
	converted := eventingv1.SubscriptionsAPIFilter{
		All: upstreamList(e.All), Any: upstreamList(e.Any), Exact: e.Exact, Prefix: e.Prefix, Suffix: e.Suffix, CESQL: e.CESQL,
	}
	if e.Not != nil {
		negated := upstreamExpression(*e.Not)
		converted.Not = &negated
	}
	return converted
}

// upstreamMatches evaluates upstream's filter. It returns an error where upstream panics: at CESQL that yields no boolean.
func upstreamMatches(spec filter.Spec, e cloudevents.Event) (matches bool, err error) {
	f := upstreamFilter(spec)
	defer cleanUp(f)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("upstream panics: %v", r)
		}
	}()
	return f.Filter(context.Background(), e) != eventfilter.FailFilter, nil
}

// cleanUp ends the goroutines of upstream's filter. Its "not" of nothing panics here, and it races with the goroutine that
// sorts its parts: under the race detector these few thousand goroutines are left to the end of the process.
func cleanUp(f eventfilter.Filter) {
	if raceDetector {
		return
	}
	defer func() { _ = recover() }()
	f.Cleanup()
}

// newEvent returns a valid event with these attributes besides or instead of the required ones.
func newEvent(pairs ...string) event.Event {
	e := event.Event{Attributes: []event.Attribute{
		{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: "1"},
		{Name: event.Source, Value: "/shop"}, {Name: event.Type, Value: "com.example.created"},
	}}
	for i := 0; i < len(pairs); i += 2 {
		e = e.With(pairs[i], pairs[i+1])
	}
	return e
}

func compile(t testing.TB, spec filter.Spec) *filter.Matcher {
	t.Helper()
	m, err := filter.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// covers tells whether the subject is one of the consumer's; no subjects at all are the whole log.
func covers(subjects []string, subject string) bool {
	for _, s := range subjects {
		if parent, wildcard := strings.CutSuffix(s, ">"); s == subject || wildcard && strings.HasPrefix(subject, parent) {
			return true
		}
	}
	return len(subjects) == 0
}
