package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// Bounds of one document. Aliases can make a small file huge, or endless.
const (
	maxNodes = 200_000
	maxDepth = 100
)

// maxShownPath bounds a path in an error message; one that deep is nobody's intention.
const maxShownPath = 100

var errTooLarge = errors.New("the document is too large or too deep once its aliases are followed")

// decoder turns the nodes of one document into a typed value, noting the line of every field on the way. It goes on after
// a problem, so that all of them are reported.
type decoder struct {
	place
	problems *problems
	// offset is added to the lines of a document that is the text of another's field.
	offset int
	nodes  int
	depth  int
	// tooLarge is set once a bound is passed: that is one problem, not one for each node beyond it.
	tooLarge bool
	failed   bool
}

// decode fills into from the document. It reports whether there was no problem.
func (d *decoder) decode(root *yaml.Node, into any) bool {
	tree := d.value(root, reflect.TypeOf(into).Elem(), "")
	if d.failed {
		return false
	}
	data, err := json.Marshal(tree)
	if err == nil {
		strict := json.NewDecoder(bytes.NewReader(data))
		strict.DisallowUnknownFields()
		err = strict.Decode(into)
	}
	if err != nil {
		d.problem(root, "", err)
	}
	return !d.failed
}

func (d *decoder) problem(n *yaml.Node, path string, err error) {
	d.failed = true
	if len(path) > maxShownPath {
		path = path[:maxShownPath] + "..."
	}
	if path != "" {
		err = fmt.Errorf("%s: %w", path, err)
	}
	d.problems.add(d.file, d.offset+n.Line, err)
}

// exceeds counts nodes and tells whether the document has passed its bounds.
func (d *decoder) exceeds(n *yaml.Node, path string, more int) bool {
	d.nodes += more
	if !d.tooLarge && (d.nodes > maxNodes || d.depth > maxDepth) {
		d.tooLarge = true
		d.problem(n, path, errTooLarge)
	}
	return d.tooLarge
}

// value checks a node against the type that it is to become and returns it as a JSON tree.
func (d *decoder) value(n *yaml.Node, t reflect.Type, path string) any {
	d.depth++
	defer func() { d.depth-- }()
	if d.exceeds(n, path, 1) {
		return nil
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		return nil
	case decodesItself(t):
		return d.leaf(n, t, path)
	case t.Kind() == reflect.Interface:
		return d.untyped(n, t, path)
	case t.Kind() == reflect.Struct:
		return d.object(n, t, path)
	case t.Kind() == reflect.Map:
		return d.dictionary(n, t, path)
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		return d.list(n, t, path)
	}
	return d.leaf(n, t, path)
}

func (d *decoder) object(n *yaml.Node, t reflect.Type, path string) any {
	out := map[string]any{}
	known := fields(t)
	for _, p := range d.pairs(n, t, path) {
		fieldType, ok := known[p.name]
		if !ok {
			d.problem(p.key, path, unknownField(p.name, known))
			continue
		}
		fieldPath := p.name
		if path != "" {
			fieldPath = path + "." + p.name
		}
		d.locate(fieldPath, p)
		if fieldPath == "status" {
			continue // what a cluster said, maybe in the words of another version
		}
		out[p.name] = d.value(p.value, fieldType, fieldPath)
	}
	return out
}

func (d *decoder) dictionary(n *yaml.Node, t reflect.Type, path string) any {
	out := map[string]any{}
	for _, p := range d.pairs(n, t, path) {
		entryPath := path + "[" + p.name + "]"
		d.locate(entryPath, p)
		out[p.name] = d.value(p.value, t.Elem(), entryPath)
	}
	return out
}

// locate notes where a field is, and where its text begins when that is a literal block (|).
func (d *decoder) locate(path string, p pair) {
	d.lines[path] = d.offset + p.key.Line
	if p.value.Style&yaml.LiteralStyle != 0 {
		d.blocks[path] = d.offset + p.value.Line
	}
}

func (d *decoder) list(n *yaml.Node, t reflect.Type, path string) any {
	if n.Kind != yaml.SequenceNode {
		d.problem(n, path, fmt.Errorf("must be a list, not %s", shown(n)))
		return nil
	}
	out := make([]any, 0, len(n.Content))
	for i, item := range n.Content {
		itemPath := fmt.Sprintf("%s[%d]", path, i)
		d.lines[itemPath] = d.offset + item.Line
		out = append(out, d.value(item, t.Elem(), itemPath))
	}
	return out
}

func (d *decoder) untyped(n *yaml.Node, t reflect.Type, path string) any {
	switch n.Kind {
	case yaml.MappingNode:
		return d.dictionary(n, reflect.MapOf(reflect.TypeFor[string](), t), path)
	case yaml.SequenceNode:
		return d.list(n, reflect.SliceOf(t), path)
	}
	return d.leaf(n, t, path)
}
