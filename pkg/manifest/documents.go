package manifest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is one YAML document of a file.
type document struct {
	file string
	root *yaml.Node
	// implied is what an item of a list is that does not say it.
	implied header
	// depth is how many lists the document is in.
	depth int
}

// documents splits a file. What follows a syntax error cannot be read: that is the file's last problem.
func documents(s source, problems *problems) []document {
	var out []document
	if s.err != nil {
		problems.add(s.path, 0, s.err)
		return nil
	}
	for _, part := range parts(s.data) {
		for _, root := range part.documents(s.path, problems) {
			out = append(out, document{file: s.path, root: root})
		}
	}
	return out
}

// documents returns the roots of the documents of one part, with the lines that they have in the file.
func (p part) documents(file string, problems *problems) (roots []*yaml.Node) {
	stream := yaml.NewDecoder(bytes.NewReader(p.data))
	for {
		var node yaml.Node
		err := stream.Decode(&node)
		if errors.Is(err, io.EOF) {
			return roots
		}
		if err != nil {
			line, message := syntaxError(err)
			problems.add(file, p.lines+line, errors.New(message))
			return roots
		}
		if len(node.Content) == 0 {
			continue
		}
		root := node.Content[0]
		if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
			continue // Nothing but comments between two separators.
		}
		p.move(root)
		roots = append(roots, root)
	}
}

// move adds the lines before the part. What aliases stand for is in the same part, and is moved where it stands.
func (p part) move(n *yaml.Node) {
	if p.lines == 0 {
		return
	}
	n.Line += p.lines
	for _, inner := range n.Content {
		p.move(inner)
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
	h := header{apiVersion: text(field(doc.root, "apiVersion")), kind: text(field(doc.root, "kind"))}
	h.apiVersion, h.kind = cmp.Or(h.apiVersion, doc.implied.apiVersion), cmp.Or(h.kind, doc.implied.kind)
	for _, field := range []struct{ name, value string }{{"apiVersion", h.apiVersion}, {"kind", h.kind}} {
		if field.value == "" {
			problems.add(doc.file, doc.lineOf(field.name), fmt.Errorf("%s: must be a string that is not empty", field.name))
			return header{}, false
		}
	}
	return h, true
}

// lineOf is the line of a field of the document, or where the document begins when it is not there.
func (doc document) lineOf(name string) int {
	for i := 0; i+1 < len(doc.root.Content); i += 2 {
		if doc.root.Content[i].Value == name {
			return doc.root.Content[i].Line
		}
	}
	return doc.root.Line
}

// decodeAs decodes the document; false means that there were problems.
func decodeAs[T any](doc document, problems *problems) (*T, place, bool) {
	d := doc.newDecoder(problems)
	into := new(T)
	ok := d.decode(doc.root, into)
	return into, d.place, ok
}
