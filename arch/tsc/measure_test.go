package tsc

import (
	"math"
	"math/rand/v2"
	"testing"
)

// near reports whether hz is want but for ppm parts in a million.
func near(hz uint64, want float64, ppm float64) bool {
	return math.Abs(float64(hz)-want) <= want*ppm/1e6
}

func TestMeasureAgainstThree(t *testing.T) {
	for _, hz := range []float64{1e9, 2.4e9, 5.7e9} {
		m := &machine{cost: 300, hz: hz}
		r := Measure(m.tsc, []Reference{m.hpet(), m.pm(), m.pit()}, 10e6)
		for i := range 3 {
			if !near(r[i].Hz, hz, 300) || r[i].Error > 400 {
				t.Errorf("%.0f Hz: reference %d: %+v", hz, i, r[i])
			}
		}
		if r[3].Hz != 0 {
			t.Errorf("a reference that was not given: %+v", r[3])
		}
		if m.ns > 80e6 {
			t.Errorf("took %.0f ms", m.ns/1e6)
		}
	}
}

// TestMeasureWithInterruptions has the processor taken away, at random, for times
// from microseconds to some tenths of a second.
func TestMeasureWithInterruptions(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := &machine{cost: 500, hz: 3.1e9, hold: func(int) float64 {
			switch n := rnd.IntN(4000); {
			case n < 40:
				return 20e3 * rnd.Float64()
			case n == 40:
				return 200e6 * rnd.Float64()
			}
			return 0
		}}
		r := Measure(m.tsc, []Reference{m.hpet(), m.pm(), m.pit()}, 10e6)
		for i := range 3 {
			if r[i].Hz != 0 && !near(r[i].Hz, m.hz, float64(r[i].Error)+100) {
				t.Errorf("seed %d: reference %d: %+v", seed, i, r[i])
			}
		}
		if f := Choose(Declared{}, r[:3]); !near(f.Hz, m.hz, 1500) || f.By != ByMeasuring {
			t.Errorf("seed %d: chosen %+v of %+v", seed, f, r)
		}
	}
}

// TestMeasureOnABusyHost has nothing but the PIT, and loses the processor for some
// milliseconds all the time.
func TestMeasureOnABusyHost(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		next, m := 0.0, &machine{cost: 1500, hz: 2.3e9}
		m.hold = func(int) float64 {
			if m.ns < next {
				return 0
			}
			away := 4e6 + 70e6*rnd.Float64()*rnd.Float64()
			next = m.ns + away + 1e6 + 5e6*rnd.Float64()
			return away
		}
		r := Measure(m.tsc, []Reference{{}, {}, m.pit()}, 10e6)
		if r[2].Hz == 0 || !near(r[2].Hz, m.hz, float64(r[2].Error)+100) {
			t.Errorf("seed %d: %+v, after %.0f ms", seed, r[2], m.ns/1e6)
		}
	}
}

// TestMeasureAcrossTheWrap has the PIT alone, and loses the processor for a few
// milliseconds, as a system management interrupt takes it, at every moment of the
// PIT's way round: it must not be taken to have come half as far as it has.
func TestMeasureAcrossTheWrap(t *testing.T) {
	for at := 1e6; at < 60e6; at += 0.5e6 {
		for _, away := range []float64{3e6, 6e6, 10e6, 25e6, 50e6, 60e6} {
			held := false
			m := &machine{cost: 1500, hz: 2.3e9}
			m.hold = func(int) float64 {
				if held || m.ns < at {
					return 0
				}
				held = true
				return away
			}
			r := Measure(m.tsc, []Reference{m.pit()}, 50e6)
			if !near(r[0].Hz, m.hz, float64(r[0].Error)+100) {
				t.Errorf("%.0f ms away after %.1f ms: %+v", away/1e6, at/1e6, r[0])
			}
		}
	}
}

func TestMeasureAgainstBrokenCounters(t *testing.T) {
	still := Reference{"still", 14318180, 32, func() uint64 { return 77 }}
	ones := Reference{"ones", 3579545, 24, func() uint64 { return ^uint64(0) }}
	none := []Reference{{"no rate", 0, 32, still.Read}, {"no bits", 1e6, 0, still.Read}, {"wide", 1e6, 65, still.Read}, {"unread", 1e6, 32, nil}}
	m := &machine{cost: 400, hz: 2e9}
	for _, refs := range [][]Reference{nil, none, {still, ones}, {still, m.pm(), ones}} {
		r := Measure(m.tsc, refs, 10e6)
		for i := range r {
			good := i < len(refs) && refs[i].Name == "acpi_pm"
			if good != (r[i].Hz != 0) || good && !near(r[i].Hz, m.hz, 400) {
				t.Errorf("%d references, %d: %+v", len(refs), i, r[i])
			}
		}
	}
	if m.ns > 500e6 {
		t.Errorf("took %.0f ms", m.ns/1e6)
	}
	if still.Counts() || none[0].Counts() || none[3].Counts() {
		t.Error("a counter that stands still counts")
	}
	// Nor may a time stamp counter that stands still keep the machine from starting.
	m = &machine{cost: 400}
	if r := Measure(m.tsc, []Reference{m.hpet()}, 10e6); r[0].Hz != 0 {
		t.Errorf("a TSC that stands still: %+v", r[0])
	}
	if r := m.pm(); !r.Counts() {
		t.Error("a counter that counts does not")
	}
	jumpy := Reference{"random", 14318180, 32, func() uint64 { return rand.Uint64() }}
	m = &machine{cost: 400, hz: 2e9}
	Measure(m.tsc, []Reference{jumpy}, 10e6)
}

func TestChoose(t *testing.T) {
	const hz = 2_400_000_000
	good, alike, other := Result{hz, 10}, Result{hz + hz/200, 10}, Result{hz * 2, 10}
	exact := Declared{Hz: hz, By: ByCrystal, Exact: true}
	nominal := Declared{Hz: hz + hz/1000, By: ByBase}
	for _, c := range []struct {
		name string
		d    Declared
		r    []Result
		want Frequency
	}{
		{"nothing at all", Declared{}, nil, Frequency{GuessHz, ByGuess, -1, false, true}},
		{"the CPU alone", exact, nil, Frequency{hz, ByCrystal, -1, false, false}},
		{"a measurement alone", Declared{}, []Result{{}, good}, Frequency{hz, ByMeasuring, 1, false, false}},
		{"two that agree", Declared{}, []Result{good, alike}, Frequency{hz, ByMeasuring, 0, true, false}},
		{"two that agree, the second more exact", Declared{}, []Result{{alike.Hz, 200}, good}, Frequency{hz, ByMeasuring, 1, true, false}},
		{"two that differ", Declared{}, []Result{good, other}, Frequency{hz, ByMeasuring, 0, false, true}},
		{"the third decides", Declared{}, []Result{other, good, alike}, Frequency{hz, ByMeasuring, 1, true, false}},
		{"exact, and measured", exact, []Result{alike, good}, Frequency{hz, ByCrystal, -1, true, false}},
		{"nominal, and measured", nominal, []Result{good}, Frequency{hz, ByMeasuring, 0, true, false}},
		{"exact, against one", exact, []Result{other}, Frequency{hz, ByCrystal, -1, false, true}},
		{"exact, against two", exact, []Result{other, other}, Frequency{hz * 2, ByMeasuring, 0, true, false}},
		{"nominal, against one", nominal, []Result{other}, Frequency{nominal.Hz, ByBase, -1, false, true}},
		{"nominal, against two", nominal, []Result{other, other}, Frequency{hz * 2, ByMeasuring, 0, true, false}},
	} {
		if got := Choose(c.d, c.r); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
