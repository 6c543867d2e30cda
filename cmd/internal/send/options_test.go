package send

import (
	"math"
	"strings"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func TestWrongOptionsAreNamed(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no URL", func(o *Options) { o.To = "127.0.0.1:8080" }, "to: "},
		{"other scheme", func(o *Options) { o.To = "ftp://example.com/" }, `to: "ftp://example.com/" is no http or https URL`},
		{"unknown mode", func(o *Options) { o.Mode = "xml" }, `mode: "xml"`},
		{"no events", func(o *Options) { o.Count = 0 }, "count: "},
		{"empty batches", func(o *Options) { o.Mode = Batch }, "batch-size: "},
		{"negative rate", func(o *Options) { o.Rate = -1 }, "rate: "},
		{"infinite rate", func(o *Options) { o.Rate = math.Inf(1) }, "rate: "},
		{"rate that is no number", func(o *Options) { o.Rate = math.NaN() }, "rate: "},
		{"no connections", func(o *Options) { o.Connections = 0 }, "connections: "},
		{"no timeout", func(o *Options) { o.Timeout = 0 }, "timeout: "},
		{"negative retries", func(o *Options) { o.Retries = -1 }, "retry: "},
		{"no type", func(o *Options) { o.Event.Type = "" }, `event: attribute "type"`},
		{"no source", func(o *Options) { o.Event.Source = " " }, `event: attribute "source"`},
		{"source that is no URI reference", func(o *Options) { o.Event.Source = "%zz" }, `event: attribute "source"`},
		{"time that is none", extension("time", "noon"), `event: attribute "time"`},
		{"content type that is none", func(o *Options) { o.Event.ContentType = "a b" }, `event: attribute "datacontenttype"`},
		{"extension in upper case", extension("Zone", "eu"), `extension: "Zone" is no attribute name`},
		{"extension called data", extension("data", "x"), `extension: "data" is no attribute name`},
		{"extension without a name", extension("", "x"), `extension: "" is no attribute name`},
		{"extension that has a flag", extension("subject", "x"), `extension: "subject" has a flag of its own`},
		{"content type as extension", extension("datacontenttype", "x"), `extension: "datacontenttype" is set by content-type`},
		{"other spec version", extension("specversion", "0.3"), `extension: "specversion" is always 1.0`},
		{"extension given twice", func(o *Options) { extension("a", "1")(o); extension("a", "2")(o) }, `extension: "a" is given twice`},
	} {
		t.Run(test.name, func(t *testing.T) {
			ingress := newIngress(t)
			options := ingress.options()
			test.change(&options)
			_, err := Run(t.Context(), options)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error is %v, want one that begins with %q", err, test.want)
			}
			if ingress.seen().requests != 0 {
				t.Error("something was sent")
			}
		})
	}
}

func extension(name, value string) func(*Options) {
	return func(o *Options) {
		o.Event.Extensions = append(o.Event.Extensions, event.Attribute{Name: name, Value: value})
	}
}
