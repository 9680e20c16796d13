// Package report shows what package measure has measured: as text, as TSV, as an
// HTML page and as the README's table.
package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"tamarix/scripts/bench/measure"
)

// A Line is a row of the table with its results in both modes.
type Line struct {
	measure.Row
	Instructions, Wall       measure.Ratio
	HasInstructions, HasWall bool   // both kernels have figures
	Note                     string // why something is missing
}

// Lines are the results of all rows that were measured, in the order of the
// table. The controls come last.
func Lines(set *measure.Set) (lines []Line) {
	for _, list := range [][]measure.Row{measure.Rows, measure.Controls} {
		for _, r := range list {
			l := Line{Row: r}
			l.Instructions, l.HasInstructions = set.Ratio(measure.Instructions, 1, r.Name)
			l.Wall, l.HasWall = set.Ratio(measure.Wall, 1, r.Name)
			for _, k := range []string{measure.Tamarix, measure.Linux} {
				for _, m := range []string{measure.Wall, measure.Instructions} {
					if why := set.Note(k, m, 1, r.Name); why != "" {
						l.Note = Title(k) + ": " + why
					}
				}
			}
			some := func(x float64) bool { return !math.IsNaN(x) }
			if some(l.Instructions.Linux) || some(l.Instructions.Tamarix) || some(l.Wall.Linux) || some(l.Wall.Tamarix) || l.Note != "" {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

// Title is a kernel's name as people write it.
func Title(kernel string) string {
	return map[string]string{measure.Linux: "Linux", measure.Tamarix: "Tamarix"}[kernel]
}

// Verdicts of a line.
const (
	Met           = "met"
	NotMet        = "not met"
	WallNotMet    = "not in wall time"
	InstrNotMet   = "not in instructions"
	NotMeasured   = "not measured"
	NothingWanted = ""
)

// Verdict says whether the target is met in every mode that was measured.
func (l Line) Verdict() string {
	if l.Target == 0 {
		return NothingWanted
	}
	instr := !l.HasInstructions || l.met(l.Instructions)
	wall := !l.HasWall || l.met(l.Wall)
	switch {
	case !l.HasInstructions && !l.HasWall:
		return NotMeasured
	case instr && wall:
		return Met
	case l.HasInstructions && l.HasWall && instr:
		return WallNotMet
	case l.HasInstructions && l.HasWall && wall:
		return InstrNotMet
	}
	return NotMet
}

// met compares; half a per cent, less than what is shown, is no difference.
func (l Line) met(r measure.Ratio) bool { return r.Value <= 1.005*l.Target }

// MetInstructions and MetWall are for what is shown of one mode alone.
func (l Line) MetInstructions() bool { return l.Target == 0 || l.met(l.Instructions) }

// MetWall: see MetInstructions.
func (l Line) MetWall() bool { return l.Target == 0 || l.met(l.Wall) }

// Factor writes the line's ratio in one mode, with a digit more where a missed
// target would look like a met one.
func (l Line) Factor(r measure.Ratio) string {
	s := Factor(r.Value)
	if v, err := strconv.ParseFloat(s, 64); l.Target > 0 && !l.met(r) && err == nil && v <= l.Target {
		return strconv.FormatFloat(r.Value, 'f', 4, 64)
	}
	return s
}

// Count says how many targets there are among the lines, and how many are met.
func Count(lines []Line) (met, all int) {
	for _, l := range lines {
		switch l.Verdict() {
		case NothingWanted, NotMeasured:
		case Met:
			met++
			all++
		default:
			all++
		}
	}
	return met, all
}

// A Scale is one of the rows of four processes: how much more gets done on
// several CPUs than on one.
type Scale struct {
	measure.Row
	CPUs           []int
	Linux, Tamarix []float64 // throughput with CPUs[i], 1 for one CPU; NaN if not measured
	// Elapsed time of one operation, all four processes together, in ns.
	LinuxTime, TamarixTime []float64
}

// Last is the index of the greatest number of CPUs.
func (s Scale) Last() int { return len(s.CPUs) - 1 }

// NoWorse tells whether Tamarix gains as much by the CPUs as Linux does. Wall
// times with several CPUs scatter: five per cent are forgiven.
func (s Scale) NoWorse() bool {
	return s.Tamarix[s.Last()] >= 0.95*s.Linux[s.Last()]
}

// Control tells whether the kernels have no part in this.
func (s Scale) Control() bool { return s.Name == measure.ScaleControl.Name }

// Scales are the rows of four processes, if they were measured on both kernels,
// and last what the host gives.
func Scales(set *measure.Set) (scales []Scale) {
	for _, r := range append(slices.Clone(measure.Scaling), measure.ScaleControl) {
		s := Scale{Row: r}
		some := false
		for _, cpus := range []int{1, 2, 4} {
			l, okl := set.Speedup(measure.Linux, r.Name, cpus)
			t, okt := set.Speedup(measure.Tamarix, r.Name, cpus)
			if !okl || !okt {
				l, t = math.NaN(), math.NaN()
			} else {
				some = some || cpus > 1
			}
			s.CPUs = append(s.CPUs, cpus)
			s.Linux, s.Tamarix = append(s.Linux, l), append(s.Tamarix, t)
			s.LinuxTime = append(s.LinuxTime, measure.Median(set.Values(measure.Linux, measure.Wall, cpus, r.Name)))
			s.TamarixTime = append(s.TamarixTime, measure.Median(set.Values(measure.Tamarix, measure.Wall, cpus, r.Name)))
		}
		if some {
			scales = append(scales, s)
		}
	}
	return scales
}

// Uneven says so when the host did not give both kernels' CPUs the same, by the
// control, or nothing.
func Uneven(scales []Scale) string {
	for _, s := range scales {
		if !s.Control() {
			continue
		}
		if r := s.Tamarix[s.Last()] / s.Linux[s.Last()]; !(math.Abs(r-1) <= 0.1) {
			return fmt.Sprintf("Not conclusive: in the control, where no kernel has a part, the gains by %d CPUs are %s and %s.",
				s.CPUs[s.Last()], Factor(s.Linux[s.Last()]), Factor(s.Tamarix[s.Last()]))
		}
	}
	return ""
}
