package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/report"
)

// tell prints the result as the flags want it.
func (f *benchFlags) tell(out io.Writer, r bench.Result) error {
	if f.report != "" {
		if err := f.writeReport(r); err != nil {
			return err
		}
	}
	if f.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return report.Table(out, r)
}

// writeReport writes the page with plots.
func (f *benchFlags) writeReport(r bench.Result) error {
	file, err := os.Create(f.report)
	if err != nil {
		return err
	}
	return errors.Join(report.HTML(file, r), file.Close())
}
