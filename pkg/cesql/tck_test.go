package cesql_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// tckFile is one of the specification's conformance files.
type tckFile struct {
	Name  string    `json:"name"`
	Tests []tckTest `json:"tests"`
}

type tckTest struct {
	Name           string         `json:"name"`
	Expression     string         `json:"expression"`
	Result         any            `json:"result"`
	Error          string         `json:"error"`
	Event          map[string]any `json:"event"`
	EventOverrides map[string]any `json:"eventOverrides"`
}

// attributes returns the event's; extensions have types of their own here.
func (test tckTest) attributes() map[string]any {
	attributes := map[string]any{
		"specversion": "1.0", "id": "full-event", "source": "http://example.com/source", "type": "com.example.FullEvent",
		"subject": "topic", "time": "2020-03-21T12:34:56.78Z", "datacontenttype": "text/json", "dataschema": "http://example.com/schema",
	}
	if test.Event != nil {
		attributes = test.Event
	}
	maps.Copy(attributes, test.EventOverrides)
	return attributes
}

func valueOf(v any) cesql.Value {
	switch v := v.(type) {
	case bool:
		return cesql.BooleanValue(v)
	case float64:
		return cesql.IntegerValue(int32(v))
	default:
		return cesql.StringValue(v.(string))
	}
}

// typed reads attributes that have types.
func typed(attributes map[string]any) cesql.Environment {
	return cesql.Environment{Attribute: func(name string) cesql.Attribute {
		return func([]event.Attribute) (cesql.Value, bool) {
			v, ok := attributes[name]
			if !ok {
				return cesql.Value{}, false
			}
			return valueOf(v), true
		}
	}}
}

var tckErrors = map[string]cesql.Errors{
	"": 0, "math": cesql.MathError, "cast": cesql.CastError, "missingAttribute": cesql.MissingAttributeError,
	"missingFunction": cesql.MissingFunctionError, "functionEvaluation": cesql.FunctionEvaluationError,
}

// TestConformance runs the specification's own tests.
func TestConformance(t *testing.T) {
	files, err := filepath.Glob("testdata/tck/*.yaml")
	if err != nil || len(files) != 18 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file tckFile
		if err := yaml.UnmarshalStrict(text, &file); err != nil || len(file.Tests) == 0 {
			t.Fatalf("%s: %d tests: %v", name, len(file.Tests), err)
		}
		for _, test := range file.Tests {
			t.Run(file.Name+"/"+test.Name, test.run)
		}
	}
}

func (test tckTest) run(t *testing.T) {
	x, err := cesql.Compile(test.Expression, typed(test.attributes()))
	if test.Error == "parse" {
		if err == nil {
			t.Errorf("%s compiles", test.Expression)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", test.Expression, err)
	}
	want, ok := tckErrors[test.Error]
	if !ok {
		t.Fatalf("unknown kind of error %q", test.Error)
	}
	if value, errors := x.Evaluate(nil); value != valueOf(test.Result) || errors != want {
		t.Errorf("%s: got %+v and errors %b, want %v and %b", test.Expression, value, errors, test.Result, want)
	}
}
