package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is one YAML document of a file.
type document struct {
	file string
	root *yaml.Node
}

// documents splits a file. What follows a syntax error cannot be read: that is the file's last problem.
func documents(s source, problems *problems) []document {
	var out []document
	if s.err != nil {
		problems.add(s.path, 0, s.err)
		return nil
	}
	stream := yaml.NewDecoder(bytes.NewReader(s.data))
	for {
		var node yaml.Node
		err := stream.Decode(&node)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			line, message := syntaxError(err)
			problems.add(s.path, line, errors.New(message))
			return out
		}
		if len(node.Content) == 0 {
			continue
		}
		root := node.Content[0]
		if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
			continue // Nothing but comments between two separators.
		}
		out = append(out, document{s.path, root})
	}
}

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// syntaxError takes the line out of a YAML error's text; the library has it nowhere else, and leaves the first line out.
func syntaxError(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	match := yamlLine.FindStringSubmatch(message)
	if match == nil {
		return 1, "YAML: " + message
	}
	line, err = strconv.Atoi(match[1])
	if err != nil {
		return 1, "YAML: " + message
	}
	return line, "YAML: " + message[len(match[0]):]
}

// header is what every document must begin with.
type header struct {
	apiVersion, kind string
}

// newDecoder makes the decoder of a document.
func (doc document) newDecoder(problems *problems) *decoder {
	return &decoder{
		place:    newPlace(doc.file, doc.root.Line),
		problems: problems,
	}
}

// header reads what the document says it is; false means that there is a problem with that.
func (doc document) header(problems *problems) (header, bool) {
	d := doc.newDecoder(problems)
	if doc.root.Kind != yaml.MappingNode {
		d.problem(doc.root, "", fmt.Errorf("must be a mapping with apiVersion and kind, not %s", shown(doc.root)))
		return header{}, false
	}
	var h header
	lines := map[string]*yaml.Node{}
	for i := 0; i+1 < len(doc.root.Content); i += 2 {
		key, value := doc.root.Content[i], doc.root.Content[i+1]
		lines[key.Value] = key
		switch {
		case key.Value == "apiVersion" && value.Kind == yaml.ScalarNode:
			h.apiVersion = value.Value
		case key.Value == "kind" && value.Kind == yaml.ScalarNode:
			h.kind = value.Value
		}
	}
	for _, field := range []struct{ name, value string }{{"apiVersion", h.apiVersion}, {"kind", h.kind}} {
		if field.value == "" {
			at := doc.root
			if key, there := lines[field.name]; there {
				at = key
			}
			d.problem(at, "", fmt.Errorf("%s: must be a string that is not empty", field.name))
			return header{}, false
		}
	}
	wantVersion, known := apiVersions()[h.kind]
	switch {
	case !known:
		d.problem(lines["kind"], "", fmt.Errorf("unknown kind %q: known are %s", h.kind,
			strings.Join(slices.Sorted(maps.Keys(apiVersions())), ", ")))
	case h.apiVersion != wantVersion:
		d.problem(lines["apiVersion"], "", fmt.Errorf("unknown apiVersion %q of a %s: want %s", h.apiVersion, h.kind, wantVersion))
	}
	return h, !d.failed
}

// decodeAs decodes the document; false means that there were problems.
func decodeAs[T any](doc document, problems *problems) (*T, place, bool) {
	d := doc.newDecoder(problems)
	into := new(T)
	ok := d.decode(doc.root, into)
	return into, d.place, ok
}
