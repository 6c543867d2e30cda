package event_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func batchHeader() http.Header {
	return http.Header{"Content-Type": {"Application/CloudEvents-Batch+JSON; charset=utf-8"}, "Traceparent": {"00-a"}}
}

func TestDecodeBatch(t *testing.T) {
	body := ` [ {` + required + `,"data":{"n": 1}} , {` + required03 + `,"datacontenttype":"text/plain","data":"two"} ] `
	events, err := event.DecodeBatch(batchHeader(), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 2 {
		t.Fatalf("got %d events, want 2", len(events))
	}
	if got := string(events[0].Data); got != `{"n": 1}` {
		t.Errorf("first: got data %q", got)
	}
	if got := string(events[1].Data); got != "two" || events[1].Attr(event.SpecVersion) != "0.3" {
		t.Errorf("second: got data %q, version %q", got, events[1].Attr(event.SpecVersion))
	}
	for i, e := range events {
		if len(e.Headers) != 1 || e.Headers[0].Value != "00-a" {
			t.Errorf("event %d: got headers %v", i, e.Headers)
		}
	}
}

func TestDecodeBatchAcceptsEmpty(t *testing.T) {
	events, err := event.DecodeBatch(batchHeader(), []byte(" [ ] "))
	if err != nil || len(events) != 0 {
		t.Errorf("got %d events, error %v", len(events), err)
	}
}

func TestDecodeBatchNamesTheInvalidEvent(t *testing.T) {
	tests := []struct {
		name, body    string
		wantIndex     int
		wantAttribute string
	}{
		{"first", `[{}]`, 0, event.SpecVersion},
		{"second", `[{` + required + `},{"specversion":"1.0","source":"/s","type":"t"},{}]`, 1, event.ID},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			events, err := event.DecodeBatch(batchHeader(), []byte(test.body))
			var batch *event.BatchError
			var attribute *event.AttributeError
			if !errors.As(err, &batch) || batch.Index != test.wantIndex {
				t.Fatalf("got error %v, want index %d", err, test.wantIndex)
			}
			if !errors.As(err, &attribute) || attribute.Attribute != test.wantAttribute {
				t.Errorf("got error %v, want one about %q", err, test.wantAttribute)
			}
			if len(events) != 0 {
				t.Errorf("got %d events beside the error", len(events))
			}
		})
	}
}

func TestDecodeBatchRefuses(t *testing.T) {
	one := `{` + required + `}`
	tests := []struct {
		name   string
		header http.Header
		body   string
		want   error
	}{
		{"another content type", structuredHeader(), "[]", event.ErrNotCloudEvent},
		{"an object", batchHeader(), one, event.ErrMalformed},
		{"a cut-off array", batchHeader(), `[` + one, event.ErrMalformed},
		{"an element that is no object", batchHeader(), `[1]`, event.ErrMalformed},
		{"one event too many", batchHeader(), `[` + strings.Repeat(one+",", event.MaxBatchEvents) + one + `]`, event.ErrBatchTooLong},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := event.DecodeBatch(test.header, []byte(test.body)); !errors.Is(err, test.want) {
				t.Errorf("got error %v, want %v", err, test.want)
			}
		})
	}
	most := `[` + strings.Repeat(one+",", event.MaxBatchEvents-1) + one + `]`
	if events, err := event.DecodeBatch(batchHeader(), []byte(most)); err != nil || len(events) != event.MaxBatchEvents {
		t.Errorf("the longest batch: got %d events, error %v", len(events), err)
	}
}

func TestContentTypes(t *testing.T) {
	tests := []struct {
		contentType       string
		structured, batch bool
	}{
		{"application/cloudevents+json", true, false},
		{"application/cloudevents+json ; charset=UTF-8", true, false},
		{"APPLICATION/CloudEvents+json", true, false},
		{"application/cloudevents-batch+json;charset=utf-8", false, true},
		{"application/cloudevents+xml", false, false},
		{"application/cloudevents", false, false},
		{"application/json", false, false},
		{"", false, false},
	}
	for _, test := range tests {
		if got := event.IsStructured(test.contentType); got != test.structured {
			t.Errorf("IsStructured(%q) = %v", test.contentType, got)
		}
		if got := event.IsBatch(test.contentType); got != test.batch {
			t.Errorf("IsBatch(%q) = %v", test.contentType, got)
		}
	}
}
