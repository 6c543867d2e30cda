package filter

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/cesql"
)

// Compile makes the Matcher of a Spec. It returns ErrInvalidFilter for what upstream's webhook refuses: an expression with
// several dialects, an attribute name that is none, malformed CESQL; and for CESQL beyond the bounds of package cesql. The functions
// are those that CESQL may call beside the specification's.
//
// What the webhook lets through and upstream's filter skips is skipped here too: an expression without a dialect, and exact,
// prefix or suffix with an empty value.
//
// Source: knative.dev/eventing pkg/eventfilter/subscriptionsapi/create.go, pkg/apis/eventing/v1/trigger_validation.go.
func Compile(spec Spec, functions ...cesql.Function) (*Matcher, error) {
	if len(spec.Filters) == 0 {
		if err := checkNames(spec.Attributes); err != nil {
			return nil, fmt.Errorf("%w: attributes: %w", ErrInvalidFilter, err)
		}
		if len(spec.Attributes) == 0 {
			return &Matcher{}, nil
		}
		return &Matcher{newConditions(spec.Attributes, equalOrAny)}, nil
	}
	parts, err := compiler{functions}.list("filters", spec.Filters)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidFilter, err)
	}
	return &Matcher{several{parts, fail}}, nil
}

// compiler makes nodes of expressions. The path that it is given says where in the Spec an expression is.
type compiler struct {
	functions []cesql.Function
}

// list leaves out the expressions that say nothing.
func (c compiler) list(path string, expressions []Expression) ([]node, error) {
	parts := make([]node, 0, len(expressions))
	for i, expression := range expressions {
		part, err := c.expression(path+"["+strconv.Itoa(i)+"]", expression)
		if err != nil {
			return nil, err
		}
		if part != nil {
			parts = append(parts, part)
		}
	}
	return parts, nil
}

// expression returns nil for an expression that says nothing.
func (c compiler) expression(path string, e Expression) (node, error) {
	if dialects := e.dialects(); len(dialects) > 1 {
		return nil, fmt.Errorf("%s has several dialects: %s", path, strings.Join(dialects, ", "))
	}
	switch {
	case len(e.Exact) > 0:
		return compileConditions(path+".exact", e.Exact, equal)
	case len(e.Prefix) > 0:
		return compileConditions(path+".prefix", e.Prefix, strings.HasPrefix)
	case len(e.Suffix) > 0:
		return compileConditions(path+".suffix", e.Suffix, strings.HasSuffix)
	case len(e.All) > 0:
		parts, err := c.list(path+".all", e.All)
		return several{parts, fail}, err
	case len(e.Any) > 0:
		parts, err := c.list(path+".any", e.Any)
		return several{parts, pass}, err
	case e.Not != nil:
		part, err := c.expression(path+".not", *e.Not)
		return not{part}, err
	case e.CESQL != "":
		q, err := compileCESQL(e.CESQL, c.functions)
		if err != nil {
			return nil, fmt.Errorf("%s.cesql %q: %w", path, shortened(e.CESQL), err)
		}
		return q, nil
	}
	return nil, nil
}

func compileConditions(path string, attributes map[string]string, holds func(value, want string) bool) (node, error) {
	if err := checkNames(attributes); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if saysNothing(attributes) {
		return nil, nil
	}
	return newConditions(attributes, holds), nil
}

func newConditions(attributes map[string]string, holds func(value, want string) bool) conditions {
	parts := make(conditions, 0, len(attributes))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		parts = append(parts, condition{name, attributes[name], holds})
	}
	return parts
}

// saysNothing tells whether upstream skips an exact, prefix or suffix expression: one empty value is enough.
func saysNothing(attributes map[string]string) bool {
	return slices.Contains(slices.Collect(maps.Values(attributes)), "")
}

// checkNames demands what upstream's webhook demands of names: a lower-case letter, then lower-case letters and digits.
func checkNames(attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if name == "" || name[0] < 'a' || 'z' < name[0] {
			return fmt.Errorf("attribute %q does not start with a lower-case letter", name)
		}
		for _, c := range name {
			if (c < 'a' || 'z' < c) && (c < '0' || '9' < c) {
				return fmt.Errorf("attribute %q has other characters than lower-case letters and digits", name)
			}
		}
	}
	return nil
}

// dialects names the fields that are set.
func (e Expression) dialects() []string {
	var names []string
	for _, dialect := range []struct {
		name string
		set  bool
	}{
		{"exact", len(e.Exact) > 0}, {"prefix", len(e.Prefix) > 0}, {"suffix", len(e.Suffix) > 0},
		{"all", len(e.All) > 0}, {"any", len(e.Any) > 0}, {"not", e.Not != nil}, {"cesql", e.CESQL != ""},
	} {
		if dialect.set {
			names = append(names, dialect.name)
		}
	}
	return names
}

// shortened keeps error messages readable.
func shortened(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
