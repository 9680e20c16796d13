package report

import (
	"fmt"
	"math"
	"strings"

	"tamarix/scripts/bench/measure"
)

// The charts' geometry. The templates draw what stands here; all lengths are in
// units of the SVG's viewBox.

// A RatioChart shows Tamarix divided by Linux for each row on a logarithmic axis.
type RatioChart struct {
	Width, Height float64
	Left, Right   float64 // of the plot
	Top, Bottom   float64
	One           float64 // where 1.0 is
	Values        float64 // right end of the column of values
	Ticks         []Tick
	Groups        []RatioGroup
}

// A Tick is a mark of an axis.
type Tick struct {
	At    float64
	Label string
}

// A RatioGroup is the rows below one heading.
type RatioGroup struct {
	Name string
	Y    float64
	Rows []RatioRow
}

// A RatioRow is one row's marks. A mark that is not Has... is not drawn.
type RatioRow struct {
	Line
	Y                   float64
	TargetX             float64
	InstrX, WallX       float64
	LowX, HighX         float64 // of the spread in wall time
	HasSpread           bool
	From, To            float64 // the line between the two modes
	InstrText, WallText string
}

// ratioChart draws the rows that have a ratio; the controls are no result.
func ratioChart(lines []Line) RatioChart {
	const (
		label, plot, values = 200.0, 580.0, 140.0
		row, heading        = 23.0, 34.0
	)
	c := RatioChart{Width: label + plot + values, Left: label, Right: label + plot, Top: 44}
	c.Values = c.Width
	low, high := 0.5, 1.25
	for _, l := range lines {
		if l.Group == "" {
			continue
		}
		for _, v := range []float64{l.Instructions.Value, l.Wall.Value, l.Target} {
			if v > 0 && !math.IsInf(v, 0) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	low, high = max(low/1.25, 0.001), min(high*1.15, 20)
	x := func(v float64) float64 {
		f := math.Log(v/low) / math.Log(high/low)
		return c.Left + plot*min(max(f, 0), 1)
	}
	c.One = x(1)
	for _, t := range []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10} {
		if t >= low && t <= high {
			c.Ticks = append(c.Ticks, Tick{x(t), Target(t)})
		}
	}
	y := c.Top
	for _, name := range measure.Groups() {
		g := RatioGroup{Name: name, Y: y + heading - 10}
		at := y + heading
		for _, l := range lines {
			if l.Group != name || !l.HasInstructions && !l.HasWall {
				continue
			}
			r := RatioRow{Line: l, Y: at + row/2}
			if l.Target > 0 {
				r.TargetX = x(l.Target)
			}
			var ends []float64
			if l.HasInstructions {
				r.InstrX, r.InstrText = x(l.Instructions.Value), l.Factor(l.Instructions)
				ends = append(ends, r.InstrX)
			}
			if l.HasWall {
				r.WallX, r.WallText = x(l.Wall.Value), l.Factor(l.Wall)
				ends = append(ends, r.WallX)
				if l.Wall.Pairs > 1 {
					r.HasSpread, r.LowX, r.HighX = true, x(l.Wall.Spread.Low), x(l.Wall.Spread.High)
				}
			}
			r.From, r.To = ends[0], ends[len(ends)-1]
			g.Rows = append(g.Rows, r)
			at += row
		}
		if len(g.Rows) > 0 {
			c.Groups = append(c.Groups, g)
			y = at
		}
	}
	c.Bottom = y + 8
	c.Height = c.Bottom + 40
	return c
}

// A BarChart compares two bars in each row; the longer is as wide as the plot, so
// that rows of nanoseconds and of seconds are seen alike.
type BarChart struct {
	Width, Height float64
	Left          float64 // where bars begin
	Bar           float64 // thickness
	Groups        []BarGroup
}

// A BarGroup is the rows below one heading.
type BarGroup struct {
	Name string
	Y    float64
	Rows []BarRow
}

// A BarRow is one row's bars.
type BarRow struct {
	Title, What            string
	Y                      float64
	LinuxWidth, Width      float64
	Linux, Tamarix, Factor string
	Worse                  bool // than Linux
}

// barChart draws one mode's figures. amount writes a figure in its unit.
func barChart(lines []Line, groups []string, of func(Line) (measure.Ratio, bool), amount func(row string, v float64) string) BarChart {
	const (
		label, plot, after = 180.0, 214.0, 76.0
		row, heading       = 34.0, 34.0
	)
	c := BarChart{Width: label + plot + after, Left: label, Bar: 11}
	y := 0.0
	for _, name := range groups {
		g := BarGroup{Name: name, Y: y + heading - 12}
		at := y + heading
		if len(groups) == 1 { // its heading is the chart's own
			g.Name, at = "", y
		}
		for _, l := range lines {
			r, ok := of(l)
			if l.Group != name || !ok {
				continue
			}
			most := max(r.Linux, r.Tamarix)
			g.Rows = append(g.Rows, BarRow{
				Title: l.Title, What: l.What, Y: at,
				LinuxWidth: max(plot*r.Linux/most, 1), Width: max(plot*r.Tamarix/most, 1),
				Linux: amount(l.Name, r.Linux), Tamarix: amount(l.Name, r.Tamarix), Factor: Factor(r.Value),
				Worse: r.Value > 1.005,
			})
			at += row
		}
		if len(g.Rows) > 0 {
			c.Groups = append(c.Groups, g)
			y = at
		}
	}
	c.Height = y + 4
	return c
}

// A Plot is throughput over the number of CPUs for one of the scaling rows.
type Plot struct {
	Scale
	Width, Height            float64
	Left, Right, Top, Bottom float64
	XTicks, YTicks           []Tick
	LinuxLine, TamarixLine   string // points of a polyline
	IdealLine                string
	LinuxDots, TamarixDots   []Dot
}

// A Dot is a measured point.
type Dot struct {
	X, Y float64
	Text string
}

// plots draws the scaling rows, all on one scale.
func plots(scales []Scale, cores int) (all []Plot) {
	most := 1.5
	for _, s := range scales {
		for i := range s.CPUs {
			for _, v := range []float64{s.Linux[i], s.Tamarix[i], float64(min(s.CPUs[i], cores))} {
				if !math.IsNaN(v) {
					most = max(most, v)
				}
			}
		}
	}
	most *= 1.12
	for _, s := range scales {
		p := Plot{Scale: s, Width: 200, Height: 186, Left: 28, Right: 194, Top: 8, Bottom: 150}
		x := func(i int) float64 { return p.Left + 14 + float64(i)*(p.Right-p.Left-28)/float64(s.Last()) }
		y := func(v float64) float64 { return p.Bottom - (p.Bottom-p.Top)*v/most }
		step := 0.5
		for most/step > 6 {
			step *= 2
		}
		for v := 0.0; v <= most; v += step {
			p.YTicks = append(p.YTicks, Tick{y(v), fmt.Sprintf("%g", v)})
		}
		var linux, tamarix, ideal []string
		point := func(i int, v float64) string { return fmt.Sprintf("%.1f,%.1f", x(i), y(v)) }
		for i, cpus := range s.CPUs {
			p.XTicks = append(p.XTicks, Tick{x(i), fmt.Sprint(cpus)})
			ideal = append(ideal, point(i, float64(min(cpus, cores))))
			if !math.IsNaN(s.Linux[i]) {
				linux = append(linux, point(i, s.Linux[i]))
				p.LinuxDots = append(p.LinuxDots, Dot{x(i), y(s.Linux[i]), "Linux, " + plural(cpus, "CPU") + ": " + Factor(s.Linux[i])})
			}
			if !math.IsNaN(s.Tamarix[i]) {
				tamarix = append(tamarix, point(i, s.Tamarix[i]))
				p.TamarixDots = append(p.TamarixDots, Dot{x(i), y(s.Tamarix[i]), "Tamarix, " + plural(cpus, "CPU") + ": " + Factor(s.Tamarix[i])})
			}
		}
		p.LinuxLine, p.TamarixLine, p.IdealLine = strings.Join(linux, " "), strings.Join(tamarix, " "), strings.Join(ideal, " ")
		all = append(all, p)
	}
	return all
}

// plural is "1 CPU", "2 CPUs".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
