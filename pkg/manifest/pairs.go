package manifest

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// pair is one entry of a mapping.
type pair struct {
	name       string
	key, value *yaml.Node
}

// pairs returns the entries of a mapping, merge keys (<<) expanded; a key given twice is a problem.
func (d *decoder) pairs(n *yaml.Node, t reflect.Type, path string) []pair {
	if n.Kind != yaml.MappingNode {
		d.problem(n, path, fmt.Errorf("must be %s, not %s", wanted(t), shown(n)))
		return nil
	}
	var out []pair
	var merged []*yaml.Node
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		name, ok := keyName(key)
		if !ok {
			d.problem(key, path, fmt.Errorf("a key must be a string, not %s", shown(key)))
			continue
		}
		if line, twice := first[name]; twice {
			d.problem(key, path, fmt.Errorf("duplicate key %q, first on line %d", name, line))
			continue
		}
		first[name] = d.offset + key.Line
		out = append(out, pair{name, key, value})
	}
	for _, base := range merged {
		out = d.merge(out, base, path)
	}
	return out
}

// merge adds the entries of a merge key's value, a mapping or a list of mappings, that are not there yet.
func (d *decoder) merge(into []pair, base *yaml.Node, path string) []pair {
	d.depth++
	defer func() { d.depth-- }()
	for base.Kind == yaml.AliasNode {
		base = base.Alias
	}
	if d.exceeds(base, path, 1+len(base.Content)) {
		return into
	}
	if base.Kind == yaml.SequenceNode {
		for _, one := range base.Content {
			into = d.merge(into, one, path)
		}
		return into
	}
	have := make(map[string]bool, len(into))
	for _, p := range into {
		have[p.name] = true
	}
	for _, p := range d.pairs(base, reflect.TypeFor[map[string]any](), path) {
		if !have[p.name] {
			into = append(into, p)
		}
	}
	return into
}

func keyName(key *yaml.Node) (string, bool) {
	for key.Kind == yaml.AliasNode {
		key = key.Alias
	}
	if key.Kind != yaml.ScalarNode {
		return "", false
	}
	value, err := scalarValue(key)
	name, isString := value.(string)
	return name, err == nil && isString
}
