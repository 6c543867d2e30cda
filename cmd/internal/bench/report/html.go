package report

import (
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
)

// page needs nothing from the network.
const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>kn-jetstream bench</title>
<style>
body { font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 }
th, td { padding: .2em 1em .2em 0; text-align: left; border-bottom: 1px solid #ddd }
th { text-transform: none }
svg { max-width: 100%; height: auto }
.lost { color: #b00; font-weight: bold }
</style>
<h1>kn-jetstream bench</h1>
<p>{{ .At }}: {{ .What }}</p>
{{ if .Lost }}<p class="lost">{{ .Lost }} deliveries are lost: this run says nothing about speed.</p>{{ end }}
{{ range .Parts }}<h2>{{ .Title }}</h2>
{{ .Body }}
{{ end }}</html>
`

type part struct {
	Title string
	Body  template.HTML
}

// HTML writes the result as a page with plots.
func HTML(out io.Writer, r bench.Result) error {
	parts := []part{
		{"Events", template.HTML(accounts(r).RenderHTML())},     //nolint:gosec // it escapes
		{"Latency", template.HTML(latencies(r).RenderHTML())},   //nolint:gosec // it escapes
		{"Processes", template.HTML(processes(r).RenderHTML())}, //nolint:gosec // it escapes
	}
	for _, plot := range []struct {
		title string
		draw  func(bench.Result) (string, error)
	}{{"Throughput over time", throughput}, {"Latency by percentile", percentiles}, {"CPU per event", cpu}} {
		svg, err := plot.draw(r)
		if err != nil {
			return fmt.Errorf("plot %q: %w", plot.title, err)
		}
		if svg != "" {
			parts = append(parts, part{plot.title, template.HTML(svg)}) //nolint:gosec // names and numbers of ours
		}
	}
	t, err := template.New("report").Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(out, struct {
		At, What string
		Lost     int
		Parts    []part
	}{r.At.UTC().Format(time.DateTime) + " UTC", what(r.Options), r.Lost, parts})
}

// what is measured, in one line.
func what(o bench.Options) string {
	system := "a Broker"
	if o.Floor != "" {
		system = "the floor " + o.Floor
	}
	load := fmt.Sprintf("closed loop of %d connections", o.Load.Connections)
	if o.Load.Rate > 0 {
		load = fmt.Sprintf("open loop, %.0f events per second", o.Load.Rate)
	}
	return fmt.Sprintf("%s; %s; %s events with %d bytes of data, %d types; %d Triggers for each event, filter %s", system, load,
		o.Workload.Mode, o.Workload.Size, o.Workload.Types, o.Workload.FanOut, o.Workload.Filter)
}
