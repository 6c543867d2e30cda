package report

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"github.com/wcharczuk/go-chart/v2"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/latency"
)

const (
	plotWidth  = 900
	plotHeight = 320
)

// throughput plots what was accepted and what arrived each second, over time.
func throughput(r bench.Result) (string, error) {
	accepted := chart.ContinuousSeries{Name: "accepted"}
	settled := chart.ContinuousSeries{Name: "arrived"}
	for i := 1; i < len(r.Timeline); i++ {
		before, now := r.Timeline[i-1], r.Timeline[i]
		seconds := (now.At - before.At).Seconds()
		if seconds <= 0 {
			continue
		}
		add(&accepted, now.At.Seconds(), float64(now.Accepted-before.Accepted)/seconds)
		add(&settled, now.At.Seconds(), float64(now.Settled-before.Settled)/seconds)
	}
	series := []chart.ContinuousSeries{accepted}
	if r.Expected > 0 {
		series = append(series, settled)
	}
	return lines(axes{x: "seconds since the start", y: "events per second"}, series...)
}

// percentiles plots latencies against how rare they are.
func percentiles(r bench.Result) (string, error) {
	var series []chart.ContinuousSeries
	for _, s := range []struct {
		name string
		of   latency.Summary
	}{{"to the answer", r.Accept}, {"to the subscriber", r.EndToEnd}} {
		if s.of.Count == 0 {
			continue
		}
		line := chart.ContinuousSeries{Name: s.name}
		for _, p := range plotted() {
			add(&line, rarity(p), s.of.At(p))
		}
		series = append(series, line)
	}
	a := axes{x: "percentile", y: "ms"}
	for _, p := range plotted() {
		a.ticks = append(a.ticks, chart.Tick{Value: rarity(p), Label: fmt.Sprint(p)})
	}
	return lines(a, series...)
}

// plotted are the percentiles that a summary has.
func plotted() []float64 { return []float64{50, 90, 99, 99.9, 99.99} }

// rarity of a percentile is how many nines it has, so to say.
func rarity(percentile float64) float64 { return -math.Log10(1 - percentile/100) }

// cpu plots what each process used for an event.
func cpu(r bench.Result) (string, error) {
	var bars []Bar
	for _, p := range r.Processes {
		if p.CPUPerEvent > 0 {
			bars = append(bars, Bar{Label: p.Name, Value: micros(p.CPUPerEvent), Text: fmt.Sprintf("%.1f us", micros(p.CPUPerEvent))})
		}
	}
	return BarPlot{Title: "CPU for one event", Bars: bars}.SVG()
}

// axes are what a plot's axes say.
type axes struct {
	x, y  string
	ticks []chart.Tick
}

// lines plots series that have two points or more; without any it is nothing.
func lines(a axes, series ...chart.ContinuousSeries) (string, error) {
	c := &chart.Chart{
		Width: plotWidth, Height: plotHeight, Background: padding(),
		XAxis: chart.XAxis{Name: a.x, Ticks: a.ticks, ValueFormatter: func(v any) string { return fmt.Sprintf("%.1f", v) }},
		YAxis: chart.YAxis{Name: a.y},
	}
	top := 0.0
	for _, s := range series {
		if len(s.XValues) < 2 {
			continue
		}
		for _, v := range s.YValues {
			top = max(top, v)
		}
		c.Series = append(c.Series, s)
	}
	if len(c.Series) == 0 {
		return "", nil
	}
	c.YAxis.Range, c.YAxis.Ticks = scale(top)
	c.Elements = []chart.Renderable{chart.LegendThin(c)}
	return render(c)
}

// padding leaves room for the legend.
func padding() chart.Style {
	return chart.Style{Padding: chart.Box{Top: 50, Left: 20, Right: 20, Bottom: 10}}
}

func add(s *chart.ContinuousSeries, x, y float64) {
	s.XValues, s.YValues = append(s.XValues, x), append(s.YValues, y)
}

func render(c interface {
	Render(chart.RendererProvider, io.Writer) error
}) (string, error) {
	var out bytes.Buffer
	err := c.Render(chart.SVG, &out)
	return out.String(), err
}
