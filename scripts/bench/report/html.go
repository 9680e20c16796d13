package report

import (
	"embed"
	"html/template"
	"math"
	"strconv"
	"strings"

	"tamarix/scripts/bench/measure"
)

//go:embed page.html charts.html style.css
var pages embed.FS

// A page is what the template shows.
type page struct {
	Set          *measure.Set
	Linux, QEMU  string // with their versions
	Void         []string
	Met, All     int
	Tiles        []tile
	Ratios       RatioChart
	Instructions BarChart
	Wall         BarChart
	Outside      BarChart
	Plots        []Plot
	Cores        int
	Groups       []tableGroup
	Controls     []Line
	Scales       []Scale
	Uneven       string
	Style        template.CSS
	WallPercent  float64
	InstrPercent float64
}

// A tile is one of the few figures at the top.
type tile struct{ Value, Title, Note string }

// A tableGroup is the lines below one heading of the table.
type tableGroup struct {
	Name  string
	Lines []Line
}

// HTML is the report as one page that needs nothing else.
func HTML(set *measure.Set) (string, error) {
	t, err := template.New("page.html").Funcs(template.FuncMap{
		"instructions": Instructions, "amount": Amount, "factor": Factor, "target": Target, "spread": Spread,
		"time": Time, "plus": func(a, b float64) float64 { return a + b }, "minus": func(a, b float64) float64 { return a - b },
	}).ParseFS(pages, "page.html", "charts.html")
	if err != nil {
		return "", err
	}
	style, err := pages.ReadFile("style.css")
	if err != nil {
		return "", err
	}
	lines := Lines(set)
	var inside []string
	for _, g := range measure.Groups() {
		if g != measure.Outside {
			inside = append(inside, g)
		}
	}
	cores, _ := strconv.Atoi(set.Fact("Host cores"))
	scales := Scales(set)
	p := page{
		Set: set, Linux: linuxVersion(set), QEMU: qemuVersion(set), Void: set.Void(), Ratios: ratioChart(lines),
		Instructions: barChart(lines, inside, func(l Line) (measure.Ratio, bool) { return l.Instructions, l.HasInstructions },
			func(_ string, v float64) string { return Instructions(v) }),
		Wall: barChart(lines, inside, func(l Line) (measure.Ratio, bool) { return l.Wall, l.HasWall }, Amount),
		Outside: barChart(lines, []string{measure.Outside},
			func(l Line) (measure.Ratio, bool) { return l.Wall, l.HasWall }, Amount),
		Plots: plots(scales, cores), Cores: cores, Scales: scales, Uneven: Uneven(scales), Style: template.CSS(style),
		WallPercent: 100 * measure.WallTolerance, InstrPercent: 100 * measure.InstructionTolerance,
	}
	p.Met, p.All = Count(lines)
	p.Tiles = tiles(lines, p.Met, p.All)
	for _, name := range measure.Groups() {
		g := tableGroup{Name: name}
		for _, l := range lines {
			if l.Group == name {
				g.Lines = append(g.Lines, l)
			}
		}
		if len(g.Lines) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	for _, l := range lines {
		if l.Group == "" {
			p.Controls = append(p.Controls, l)
		}
	}
	var b strings.Builder
	err = t.Execute(&b, p)
	return b.String(), err
}

// tiles are the figures of the whole.
func tiles(lines []Line, met, all int) (t []tile) {
	if all > 0 {
		t = append(t, tile{strconv.Itoa(met) + " of " + strconv.Itoa(all), "targets met", "in every mode that was measured"})
	}
	mean := func(of func(Line) (measure.Ratio, bool)) (float64, int) {
		sum, n := 0.0, 0
		for _, l := range lines {
			if r, ok := of(l); ok && l.Group != "" && l.Group != measure.Outside {
				sum += math.Log(r.Value)
				n++
			}
		}
		return math.Exp(sum / float64(n)), n
	}
	if v, n := mean(func(l Line) (measure.Ratio, bool) { return l.Instructions, l.HasInstructions }); n > 0 {
		t = append(t, tile{Factor(v), "of Linux's instructions", "geometric mean of " + strconv.Itoa(n) + " rows"})
	}
	if v, n := mean(func(l Line) (measure.Ratio, bool) { return l.Wall, l.HasWall }); n > 0 {
		t = append(t, tile{Factor(v), "of Linux's time", "geometric mean of " + strconv.Itoa(n) + " rows"})
	}
	for _, l := range lines {
		if l.HasWall && (l.Name == measure.Start || l.Name == measure.RAM) {
			t = append(t, tile{Amount(l.Name, l.Wall.Tamarix), l.Title, "Linux: " + Amount(l.Name, l.Wall.Linux)})
		}
	}
	return t
}
