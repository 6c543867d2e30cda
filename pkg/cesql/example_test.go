package cesql_test

import (
	"fmt"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

func ExampleCompile() {
	asItCame := func(name string) cesql.Attribute {
		return func(attributes []event.Attribute) (cesql.Value, bool) {
			value, ok := event.Event{Attributes: attributes}.Get(name)
			return cesql.StringValue(value), ok
		}
	}
	x, err := cesql.Compile("priority = 'high' OR type LIKE '%.failed'", cesql.Environment{Attribute: asItCame})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.Matches([]event.Attribute{{Name: "type", Value: "com.example.payment.failed"}}))

	_, err = cesql.Compile("priority == 'high'", cesql.Environment{Attribute: asItCame})
	fmt.Println(err)
	// Output:
	// true
	// column 11: expected a value, found "="
}
