package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"sigs.k8s.io/yaml"
)

// checkOutput refuses a value of --output that is none of those.
func checkOutput(output string, known ...string) error {
	if output == "" || slices.Contains(known, output) {
		return nil
	}
	return badInput(fmt.Errorf("--output is %q; it is %s or not given", output, strings.Join(known, ", ")))
}

// encode prints the value as JSON, or as YAML with the names that JSON has.
func encode(out io.Writer, output string, value any) error {
	if output == "yaml" {
		text, err := yaml.Marshal(value)
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// newTable is a table without lines.
func newTable() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	return t
}
