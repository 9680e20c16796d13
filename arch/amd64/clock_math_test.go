package amd64

import "testing"

func FuzzClockMath(f *testing.F) {
	f.Add(uint64(1e18), uint64(1<<32))
	f.Add(uint64(1), uint64(1<<31))
	f.Add(uint64(3600e9*24*365), uint64(1_000_000_000<<32/2_593_906_000))
	f.Fuzz(func(t *testing.T, ns, mult uint64) {
		// From 50 GHz to 10 MHz; until the year 2100.
		if ns >= 1<<62 || mult < 1e9<<32/50_000_000_000 || mult > 100<<32 {
			return
		}
		v := shiftDiv(ns, mult)
		if v == ^uint64(0) {
			return
		}
		if got := mulShift(v, mult); got < ns || v > 0 && mulShift(v-1, mult) >= ns && ns > 0 {
			t.Errorf("%d ns at %d: %d counts are %d ns", ns, mult, v, got)
		}
	})
}
