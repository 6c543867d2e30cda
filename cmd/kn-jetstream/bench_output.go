package main

import (
	"encoding/json"
	"io"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/bench"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/bench/report"
)

// tell prints the result as the flags want it.
func (f *benchFlags) tell(out io.Writer, r bench.Result) error {
	if f.output == "json" {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return report.Table(out, r)
}
