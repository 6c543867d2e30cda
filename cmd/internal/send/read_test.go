package send

import (
	"errors"
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
