package tsc

import (
	"sync"
	"sync/atomic"
	"testing"
)

// watch runs a watchdog on m for n checks, each so many ns after the last, and
// returns how often it said what.
func watch(m *machine, ref Reference, n int, apart float64) (count [3]int, ahead int64) {
	w := Watchdog{Hz: uint64(m.hz), Ref: &ref}
	for range n {
		v, a := w.Check(ref.Sample(m.tsc))
		count[v]++
		if v == Wrong {
			ahead = a
		}
		m.ns += apart
	}
	return count, ahead
}

func TestWatchdogLeavesAGoodCounterAlone(t *testing.T) {
	for _, apart := range []float64{1e6, 500e6, 5e9, 61e9} {
		for _, ref := range []func(*machine) Reference{(*machine).hpet, (*machine).pm} {
			m := &machine{cost: 500, hz: 2.7e9, shift: func(ns float64) float64 { return ns * 1.0004 }} // measured 400 ppm too low
			if c, a := watch(m, ref(m), 50, apart); c[Wrong] != 0 || c[Fine] != 49 {
				t.Errorf("%s every %.0f ms: %v, %d ns", ref(m).Name, apart/1e6, c, a)
			}
		}
	}
}

func TestWatchdogFindsABadCounter(t *testing.T) {
	for name, shift := range map[string]func(ns float64) float64{
		"stands still":      func(ns float64) float64 { return min(ns, 12e9) },
		"jumps ahead":       func(ns float64) float64 { return jump(ns, 12e9, 3e9) },
		"jumps back":        func(ns float64) float64 { return jump(ns, 12e9, -3e9) },
		"falls by a little": func(ns float64) float64 { return jump(ns, 12e9, -200e6) },
		"runs slow":         func(ns float64) float64 { return min(ns, 12e9) + max(ns-12e9, 0)*0.98 },
		"runs double":       func(ns float64) float64 { return ns + max(ns-12e9, 0) },
	} {
		for _, ref := range []func(*machine) Reference{(*machine).hpet, (*machine).pm} {
			m := &machine{cost: 500, hz: 2.7e9, shift: shift}
			if c, _ := watch(m, ref(m), 10, 5e9); c[Wrong] == 0 {
				t.Errorf("%s, %s: %v", name, ref(m).Name, c)
			}
		}
	}
}

func jump(ns, at, by float64) float64 {
	if ns < at {
		return ns
	}
	return ns + by
}

// TestWatchdogAsksAgain: a reading that was disturbed says nothing, and a wrong one
// does not spoil the next.
func TestWatchdogAsksAgain(t *testing.T) {
	m := &machine{cost: 500, hz: 2e9}
	ref := m.hpet()
	w := Watchdog{Hz: 2e9, Ref: &ref}
	w.Check(ref.Sample(m.tsc))
	m.ns += 5e9
	if v, _ := w.Check(Sample{ref.Read(), m.tsc(), 4e6}); v != Unsure {
		t.Errorf("a reading of 2 ms: %d", v)
	}
	s := ref.Sample(m.tsc)
	s.TSC += 2e9
	if v, ahead := w.Check(s); v != Wrong || ahead < 999e6 || ahead > 1001e6 {
		t.Errorf("a second ahead: %d, %d ns", v, ahead)
	}
	if v, _ := w.Check(ref.Sample(m.tsc)); v != Fine {
		t.Errorf("a good reading after that: %d", v)
	}
	m.ns += 3600e9 * 24
	if v, _ := w.Check(ref.Sample(m.tsc)); v == Wrong {
		t.Error("a day later: wrong")
	}
	w.Forget()
	if v, _ := w.Check(ref.Sample(m.tsc)); v != Unsure {
		t.Errorf("the first check: %d", v)
	}
}

// TestWarp has two CPUs take turns whose counters differ by skew.
func TestWarp(t *testing.T) {
	for _, skew := range []int64{0, 1000, -1000} {
		var w Warp
		var behind [2]uint64
		now := uint64(1e12)
		for n := range 200 {
			i := n % 2
			b, _ := w.Run(func() uint64 { now += 10; return uint64(int64(now) + int64(i)*skew) }, 0)
			behind[i] = max(behind[i], b)
		}
		switch {
		case skew == 0 && (w.Max() != 0 || behind != [2]uint64{}):
			t.Errorf("the same counter: warp of %d", w.Max())
		case skew != 0 && (w.Max() < 900 || w.Max() > 1000):
			t.Errorf("skew %d: warp of %d", skew, w.Max())
		case skew > 0 && (behind[0] != w.Max() || behind[1] != 0), skew < 0 && (behind[1] != w.Max() || behind[0] != 0):
			t.Errorf("skew %d: behind %v", skew, behind)
		}
		w.Reset()
		if w.Max() != 0 {
			t.Error("not reset")
		}
	}
}

// TestWarpAtTheSameTime runs both at once.
func TestWarpAtTheSameTime(t *testing.T) {
	var w Warp
	var clock atomic.Uint64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { w.Run(func() uint64 { return clock.Add(1) }, 100_000) })
	}
	wg.Wait()
	if w.Max() != 0 {
		t.Errorf("one counter for all: warp of %d", w.Max())
	}
}
