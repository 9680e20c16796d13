package report

import (
	"math"
	"strconv"
	"strings"

	"tamarix/scripts/bench/measure"
)

// Three significant digits everywhere: no measurement is better, and the columns
// stay narrow.

// Time is a duration given in nanoseconds: 265 ns, 1.77 µs, 6.86 ms.
func Time(ns float64) string {
	return scaled(ns, []unit{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}})
}

// Instructions is a number of instructions: 328, 11.9 k, 6.74 M.
func Instructions(n float64) string {
	return scaled(n, []unit{{1e9, "G"}, {1e6, "M"}, {1e4, "k"}, {1, ""}})
}

// Bytes is a size: 7.69 MiB.
func Bytes(n float64) string {
	return scaled(n, []unit{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "B"}})
}

type unit struct {
	size float64
	name string
}

func scaled(v float64, units []unit) string {
	if math.IsNaN(v) {
		return "–"
	}
	u := units[len(units)-1]
	for _, x := range units {
		if v >= x.size*0.9995 {
			u = x
			break
		}
	}
	if u.name == "k" {
		u.size = 1e3
	}
	return strings.TrimSpace(digits(v/u.size) + " " + u.name)
}

// digits writes v with three significant digits, more before the point.
func digits(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 99.95:
		s := strconv.FormatFloat(v, 'f', 0, 64)
		if len(s) > 3 {
			s = s[:len(s)-3] + "," + s[len(s)-3:]
		}
		return s
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Factor is a ratio: two digits behind the point, three where two say nothing.
func Factor(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v < 0.0995:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case v >= 9.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Target is a row's limit, without zeros.
func Target(v float64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// Spread is the least and the greatest ratio of any pair of boots.
func Spread(r measure.Ratio) string {
	if r.Pairs < 2 {
		return ""
	}
	return Factor(r.Spread.Low) + "–" + Factor(r.Spread.High)
}

// Amount is a wall-mode figure of a row in its unit: time, or bytes for what is
// measured in bytes.
func Amount(row string, v float64) string {
	switch row {
	case measure.RAM, measure.Image, measure.Unpacked:
		return Bytes(v)
	}
	return Time(v)
}
