package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// fields are a struct's JSON fields by name, embedded structs included, as encoding/json sees them.
func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		embedded := field.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case name == "-" || (!field.IsExported() && !field.Anonymous):
		case field.Anonymous && name == "" && embedded.Kind() == reflect.Struct:
			for name, t := range fields(embedded) {
				if _, nearer := out[name]; !nearer {
					out[name] = t
				}
			}
		case name == "":
			out[field.Name] = field.Type
		default:
			out[name] = field.Type
		}
	}
	return out
}

// unknownField says what the reader may have meant: the same name in another case, else what there is, when that is little.
func unknownField(name string, known map[string]reflect.Type) error {
	names := slices.Sorted(maps.Keys(known))
	for _, k := range names {
		if strings.EqualFold(k, name) {
			return fmt.Errorf("unknown field %q: did you mean %q?", name, k)
		}
	}
	if len(names) > 10 {
		return fmt.Errorf("unknown field %q", name)
	}
	return fmt.Errorf("unknown field %q: known here are %s", name, strings.Join(names, ", "))
}

// decodesItself tells whether a type has a JSON form of its own, such as a URL or a time.
func decodesItself(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]())
}

// wanted names a type for people.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number (" + t.Kind().String() + ")"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	}
	return t.String()
}
