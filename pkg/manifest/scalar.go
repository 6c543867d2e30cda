package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// leaf is a scalar, or a value whose type decodes itself: both are tried on the real type, so that the error has this line.
func (d *decoder) leaf(n *yaml.Node, t reflect.Type, path string) any {
	var tree any
	if n.Kind == yaml.ScalarNode {
		scalar, err := scalarValue(n)
		if err != nil {
			d.problem(n, path, err)
			return nil
		}
		tree = scalar
	} else if decodesItself(t) {
		tree = d.untyped(n, reflect.TypeFor[any](), path)
	} else {
		d.problem(n, path, fmt.Errorf("must be %s, not %s", wanted(t), shown(n)))
		return nil
	}
	data, err := json.Marshal(tree)
	if err == nil {
		err = json.Unmarshal(data, reflect.New(t).Interface())
	}
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return tree
	case errors.As(err, &wrongType):
		d.problem(n, path, fmt.Errorf("must be %s, not %s", wanted(t), shown(n)))
	default:
		d.problem(n, path, err)
	}
	return nil
}

// scalarValue reads a scalar as kubectl does: by YAML 1.1, where a bare yes or off is a boolean. Taking it as a string here
// would make a file that works until it is applied to a cluster.
func scalarValue(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!str":
		if n.Style == 0 {
			if b, ok := booleanOf11(n.Value); ok {
				return b, nil
			}
		}
		return n.Value, nil
	case "!!timestamp", "!!merge":
		return n.Value, nil
	case "!!null", "!!bool", "!!int", "!!float":
		var v any
		err := n.Decode(&v)
		return v, err
	}
	return nil, fmt.Errorf("unknown tag %s", n.Tag)
}

func booleanOf11(word string) (value, ok bool) {
	if slices.Contains([]string{"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"}, word) {
		return true, true
	}
	return false, slices.Contains([]string{"n", "N", "no", "No", "NO", "off", "Off", "OFF"}, word)
}

// shown describes a node in an error message.
func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	text := n.Value
	if len(text) > 40 {
		text = text[:40] + "..."
	}
	value, _ := scalarValue(n)
	switch value.(type) {
	case string:
		return fmt.Sprintf("the string %q", text)
	case bool:
		return fmt.Sprintf("the boolean %s (quote it to make it a string)", text)
	case int, int64, uint64, float64:
		return fmt.Sprintf("the number %s", text)
	}
	return fmt.Sprintf("%q", text)
}
