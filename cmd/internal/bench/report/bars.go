package report

import (
	"html/template"
	"math"
	"strconv"
	"strings"

	"github.com/wcharczuk/go-chart/v2"
)

// Bar is one bar of a plot.
type Bar struct {
	Label string
	Value float64
	// Text stands beside the bar.
	Text string
	// Bad marks a bar that is not as it should be.
	Bad bool
}

// BarPlot is a plot of bars below each other: go-chart's stand beside each other, where a label has no room.
type BarPlot struct {
	Title string
	Bars  []Bar
	// Mark is a value at which a line is drawn; 0 is none.
	Mark float64
}

const (
	barHeight  = 22
	labelWidth = 350
	barRoom    = plotWidth - labelWidth - 100
	barsTop    = 40
)

const barsSVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{ .Width }} {{ .Height }}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="10" y="22" font-weight="bold">{{ .Title }}</text>
{{ range .Rows }}<text x="{{ .LabelX }}" y="{{ .TextY }}" text-anchor="end">{{ .Label }}</text>
<rect x="{{ .X }}" y="{{ .Y }}" width="{{ .Length }}" height="{{ .Thickness }}" fill="{{ if .Bad }}#c0504d{{ else }}#3b7ea1{{ end }}"/>
<text x="{{ .ValueX }}" y="{{ .TextY }}">{{ .Text }}</text>
{{ end }}{{ if .MarkX }}<line x1="{{ .MarkX }}" x2="{{ .MarkX }}" y1="30" y2="{{ .Height }}" stroke="#222" stroke-dasharray="4 3"/>
{{ end }}</svg>
`

// row is where a bar is.
type row struct {
	Bar
	LabelX, X, Y, Length, Thickness, ValueX, TextY int
}

// SVG draws the plot. Without bars it is nothing.
func (p BarPlot) SVG() (string, error) {
	if len(p.Bars) == 0 {
		return "", nil
	}
	top := p.Mark
	for _, b := range p.Bars {
		top = max(top, b.Value)
	}
	length := func(value float64) int {
		return int(math.Round(value / max(top, math.SmallestNonzeroFloat64) * barRoom))
	}
	rows := make([]row, len(p.Bars))
	for i, b := range p.Bars {
		y := barsTop + i*barHeight
		rows[i] = row{
			Bar: b, LabelX: labelWidth - 10, X: labelWidth, Y: y, Length: length(b.Value), Thickness: barHeight - 6,
			ValueX: labelWidth + length(b.Value) + 8, TextY: y + barHeight - 10,
		}
	}
	mark := 0
	if p.Mark > 0 {
		mark = labelWidth + length(p.Mark)
	}
	t, err := template.New("bars").Parse(barsSVG)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = t.Execute(&out, struct {
		BarPlot
		Rows                 []row
		Width, Height, MarkX int
	}{p, rows, plotWidth, barsTop + len(rows)*barHeight + 10, mark})
	return out.String(), err
}

// scale is an axis from 0 to a round number above top, with four to ten ticks.
func scale(top float64) (chart.Range, []chart.Tick) {
	if top <= 0 {
		top = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(top)))
	switch {
	case top/step < 2:
		step /= 5
	case top/step < 5:
		step /= 2
	}
	var ticks []chart.Tick
	steps := int(math.Ceil(top/step - 1e-9))
	for i := range steps + 1 {
		value := float64(i) * step
		ticks = append(ticks, chart.Tick{Value: value, Label: strconv.FormatFloat(value, 'g', 6, 64)})
	}
	return &chart.ContinuousRange{Min: 0, Max: float64(steps) * step}, ticks
}
