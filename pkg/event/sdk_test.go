package event_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	sdk "github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// readWithSDK reads a message as upstream's ingress does: decode, then Validate. The SDK panics
// where data_base64 is a number of one digit; that counts as a refusal.
func readWithSDK(h http.Header, body []byte) (e *sdk.Event, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, err = nil, fmt.Errorf("the SDK panics: %v", r)
		}
	}()
	message := cehttp.NewMessage(h, io.NopCloser(bytes.NewReader(body)))
	e, err = binding.ToEvent(context.Background(), message)
	if err != nil {
		return nil, err
	}
	return e, e.Validate()
}

// attributesOf returns the attributes of an SDK event as canonical strings.
func attributesOf(t testing.TB, e *sdk.Event) map[string]string {
	t.Helper()
	attributes := map[string]string{
		event.SpecVersion: e.SpecVersion(), event.ID: e.ID(), event.Source: e.Source(), event.Type: e.Type(),
	}
	optional := map[string]string{
		event.Subject: e.Subject(), event.DataContentType: e.DataContentType(), event.DataSchema: e.DataSchema(),
	}
	if e.SpecVersion() == "0.3" {
		optional[event.SchemaURL] = e.DataSchema()
		delete(optional, event.DataSchema)
	}
	if !e.Time().IsZero() {
		optional[event.Time] = e.Time().UTC().Format(time.RFC3339Nano)
	}
	for name, value := range optional {
		if value != "" {
			attributes[name] = value
		}
	}
	for name, value := range e.Extensions() {
		attributes[name] = canonical(t, value)
	}
	return attributes
}

// normalised returns our attributes in the SDK's form: the SDK re-formats times and URIs.
func normalised(t testing.TB, e event.Event) map[string]string {
	t.Helper()
	attributes := map[string]string{}
	for _, a := range e.Attributes {
		value := a.Value
		switch a.Name {
		case event.Time:
			parsed, err := time.Parse(time.RFC3339Nano, value)
			if err != nil {
				t.Fatalf("an accepted event has time %q: %v", value, err)
			}
			if parsed.IsZero() {
				continue
			}
			value = parsed.UTC().Format(time.RFC3339Nano)
		case event.Source, event.DataSchema, event.SchemaURL:
			if parsed, err := url.Parse(value); err == nil {
				value = parsed.String()
			}
		}
		attributes[a.Name] = value
	}
	return attributes
}

// sorted returns the attributes by name: the headers they come from have no order.
func sorted(attributes []event.Attribute) []event.Attribute {
	byName := func(a, b event.Attribute) int { return strings.Compare(a.Name, b.Name) }
	return slices.SortedFunc(slices.Values(attributes), byName)
}

func structuredHeader() http.Header {
	return http.Header{"Content-Type": {"application/cloudevents+json; charset=UTF-8"}}
}
