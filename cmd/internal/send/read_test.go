package send

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

const twoLines = `{"specversion":"1.0","id":"1","source":"/s","type":"t","extra":"ä","datacontenttype":"application/json","data":{"a": 1}}

{"specversion":"1.0","id":"2","source":"/s","type":"t","datacontenttype":"image/png","data_base64":"AP8="}`

func TestEventsOfAFileAreSentAsTheyAre(t *testing.T) {
	for _, mode := range []Mode{Binary, Structured, Batch} {
		t.Run(string(mode), func(t *testing.T) {
			ingress := newIngress(t)
			options := ingress.options()
			options.Mode, options.BatchSize = mode, 10
			var err error
			if options.Events, err = ReadEvents(strings.NewReader(twoLines)); err != nil {
				t.Fatal(err)
			}
			report, err := Run(t.Context(), options)
			if err != nil || report.Err() != nil || report.Accepted != 2 {
				t.Fatalf("%v: %v, %v", report, err, report.Err())
			}
			got := ingress.seen().events
			one, two := got["1"], got["2"]
			if string(one.Data) != `{"a": 1}` || one.Attr("extra") != "ä" || len(one.Attributes) != 6 {
				t.Errorf("the first event came as %+v", one)
			}
			if string(two.Data) != "\x00\xff" || two.Attr(event.DataContentType) != "image/png" || len(two.Attributes) != 5 {
				t.Errorf("the second event came as %+v", two)
			}
		})
	}
}

func TestAFileThatIsWrongIsNamedByItsLine(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"empty", "\n \n", "no events"},
		{"no JSON", twoLines + "\nx", "line 4: "},
		{"no event", twoLines + "\n\n{}", `line 5: attribute "specversion"`},
		{"two in a line", `{"specversion":"1.0","id":"1","source":"/s","type":"t"}{}`, "line 1: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ReadEvents(strings.NewReader(test.file)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestDocumentsAreEventsAndBatches(t *testing.T) {
	const one = "{\n \"specversion\": \"1.0\", \"id\": \"%s\", \"source\": \"/s\", \"type\": \"t\"\n}"
	of := func(id string) string { return fmt.Sprintf(one, id) }
	for _, test := range []struct{ name, file, want string }{
		{"an event", of("1"), "1"},
		{"events", of("1") + of("2") + "\n" + of("3"), "1 2 3"},
		{"a batch", "[" + of("1") + ",\n" + of("2") + "]", "1 2"},
		{"both", "[" + of("1") + "] [] " + of("2"), "1 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, err := ReadDocuments(strings.NewReader(test.file))
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, e := range events {
				ids = append(ids, e.Attr(event.ID))
			}
			if got := strings.Join(ids, " "); got != test.want {
				t.Errorf("the events are %q, want %q", got, test.want)
			}
		})
	}
	for _, test := range []struct{ name, file, want string }{
		{"nothing", " \n", "no events"},
		{"an empty batch", "[]", "no events"},
		{"no JSON", of("1") + "x", "document 2: "},
		{"cut", of("1")[:20], "document 1: "},
		{"a number", "1", "document 1: "},
		{"no event", of("1") + "{}", `document 2: attribute "specversion"`},
		{"no event in a batch", "[" + of("1") + ",{}]", `event 1 of the batch: attribute "specversion"`},
		{"a time that is none", strings.Replace(of("1"), "{", `{"time": "now",`, 1), `document 1: attribute "time"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ReadDocuments(strings.NewReader(test.file)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
		})
	}
}

// In binary mode its data would be taken for the event.
func TestAnEventWhoseDataAreAnEvent(t *testing.T) {
	for _, contentType := range []string{"application/cloudevents+json", "application/cloudevents-batch+json"} {
		ingress := newIngress(t)
		options := ingress.options()
		options.Events = []event.Event{{
			Attributes: []event.Attribute{
				{Name: event.SpecVersion, Value: "1.0"}, {Name: event.ID, Value: "1"}, {Name: event.Source, Value: "/s"}, {Name: event.Type, Value: "t"},
				{Name: event.DataContentType, Value: contentType},
			},
			Data: []byte(`{"specversion":"1.0","id":"2","source":"/s","type":"t"}`),
		}}
		if _, err := Run(t.Context(), options); !errors.Is(err, errBinary) || ingress.seen().requests != 0 {
			t.Errorf("%s: error %v after %d requests, want errBinary after none", contentType, err, ingress.seen().requests)
		}
		options.Mode = Structured
		if report, err := Run(t.Context(), options); err != nil || report.Err() != nil || ingress.seen().events["1"].Attr(event.ID) != "1" {
			t.Errorf("%s: %v: %v; %+v came", contentType, report, err, ingress.seen().events)
		}
	}
}
