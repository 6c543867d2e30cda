package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
)

// part is a part of a file in YAML, and how many lines of the file are before it.
type part struct {
	data  []byte
	lines int
}

// What the YAML library takes less of than YAML 1.2 has: a byte order mark before any document (5.2) and not only before the first, and
// a directive that names another version than 1.1. Both stand at the beginning of a line, where no value of a mapping can be.
var (
	byteOrderMark = regexp.MustCompile(`(?m)^\x{FEFF}`)
	yamlVersion   = regexp.MustCompile(`(?m)^(%YAML[ \t]+1\.)\d+`)
)

// parts are what a file's YAML decoder reads one by one: all of it, or each value of a file of JSON values. JSON is YAML but for tabs
// between its tokens, some escapes, and several values without a separator.
func parts(data []byte) []part {
	data = byteOrderMark.ReplaceAll(data, nil)
	data = yamlVersion.ReplaceAll(data, []byte("${1}1"))
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return []part{{data: data}}
	}
	var out []part
	stream := json.NewDecoder(bytes.NewReader(data))
	for {
		var value json.RawMessage
		err := stream.Decode(&value)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			return []part{{data: data}} // flow style YAML, or what the YAML decoder finds wrong
		}
		begin := int(stream.InputOffset()) - len(value)
		out = append(out, part{data: yamlOf(value), lines: bytes.Count(data[:begin], []byte("\n"))})
	}
}

// token matches a JSON string, and a tab outside of one.
var token = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\t`)

// yamlOf writes a JSON value so that YAML reads it too, with the same lines.
func yamlOf(value []byte) []byte {
	return token.ReplaceAllFunc(value, func(found []byte) []byte {
		if found[0] == '\t' {
			return []byte(" ")
		}
		var text string
		if !bytes.Contains(found, []byte(`\`)) || json.Unmarshal(found, &text) != nil {
			return found
		}
		plain, err := json.Marshal(text)
		if err != nil {
			return found
		}
		return plain
	})
}
