package measure

import (
	"math"
	"slices"
)

// Median is the middle value, or the mean of the two in the middle; NaN of none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	mid := len(s) / 2
	if len(s)%2 == 1 {
		return s[mid]
	}
	return (s[mid-1] + s[mid]) / 2
}

// A Range is the least and the greatest of several values.
type Range struct{ Low, High float64 }

// Ratio is one row's result in one mode.
type Ratio struct {
	Linux, Tamarix float64 // medians over the boots
	Value          float64 // Tamarix / Linux
	Spread         Range   // of the ratios of the pairs of boots
	Pairs          int
}
