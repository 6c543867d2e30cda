package manifest

import (
	"errors"
	"fmt"
	"strings"

	"knative.dev/pkg/apis"
)

// place is a resource's home: its file, the line where it begins, and the line of each of its fields.
type place struct {
	file string
	line int
	// lines are by path, written as apis.FieldError writes them: spec.filters[0].exact[type].
	lines map[string]int
	// blocks are the lines of the indicators (|) of literal blocks, by path: their text starts on the next line.
	blocks map[string]int
}

func newPlace(file string, line int) place {
	return place{file: file, line: line, lines: map[string]int{}, blocks: map[string]int{}}
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// at returns the line of the field, or of the nearest field around it that is in the file.
func (p place) at(path string) int {
	// Upstream names the missing class annotation by its bare key.
	if line, ok := p.lines["metadata.annotations["+path+"]"]; ok {
		return line
	}
	for path != "" {
		if line, ok := p.lines[path]; ok {
			return line
		}
		path = parent(path)
	}
	return p.line
}

func parent(path string) string {
	end := strings.LastIndexByte(path, '.')
	if strings.HasSuffix(path, "]") {
		end = strings.LastIndexByte(path, '[')
	}
	return path[:max(end, 0)]
}

// canonical returns a path of an apis.FieldError as place.lines has it.
func canonical(path string) string {
	return strings.ReplaceAll(path, ".[", "[")
}

// fieldProblems adds one problem per path of validation errors. Where several name the same path, the first counts; one
// without a path counts only when there is no other, since it is then the same finding less well told.
func (p place) fieldProblems(problems *problems, lists ...*apis.FieldError) {
	seen := map[string]bool{}
	for _, errs := range lists {
		for _, wrong := range errs.WrappedErrors() {
			message := wrong.Message
			if wrong.Details != "" {
				message += " (" + strings.Join(strings.Fields(wrong.Details), " ") + ")"
			}
			if len(wrong.Paths) == 0 && len(seen) == 0 {
				problems.add(p.file, p.line, errors.New(message))
			}
			for _, path := range wrong.Paths {
				path = canonical(path)
				if !seen[path] {
					problems.add(p.file, p.at(path), fmt.Errorf("%s: %s", path, message))
				}
				seen[path] = true
			}
		}
	}
}
