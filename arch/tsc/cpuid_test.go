package tsc

import "testing"

// cpu answers CPUID from a table, with zeros for what is not in it.
type cpu map[uint32][4]uint32

func (c cpu) id(leaf, _ uint32) (a, b, d, e uint32) {
	r := c[leaf]
	return r[0], r[1], r[2], r[3]
}

var (
	intel = [3]uint32{0x756e6547, 0x6c65746e, 0x49656e69}
	amd   = [3]uint32{0x68747541, 0x444d4163, 0x69746e65}
)

func vendor(max uint32, v [3]uint32) [4]uint32 { return [4]uint32{max, v[0], v[1], v[2]} }

func TestDeclare(t *testing.T) {
	const hv = 1 << 31
	for _, c := range []struct {
		name string
		cpu  cpu
		want Declared
	}{
		{"nothing", cpu{}, Declared{}},
		{"Intel with crystal", cpu{0: vendor(0x16, intel), 7: {0, 2}, 0x15: {2, 216, 24_000_000}, 0x16: {2600},
			0x80000000: {0x80000008}, 0x80000007: {0, 0, 0, 1 << 8}},
			Declared{Hz: 2_592_000_000, By: ByCrystal, APIC: 24_000_000, Exact: true, Invariant: true, Adjust: true}},
		{"Intel, ratio only", cpu{0: vendor(0x16, intel), 0x15: {2, 250}, 0x16: {3000}},
			Declared{Hz: 3_000_000_000, By: ByBase, APIC: 24_000_000}},
		{"Intel, base only", cpu{0: vendor(0x16, intel), 0x16: {3000}}, Declared{Hz: 3_000_000_000, By: ByBase}},
		{"Denverton", cpu{0: vendor(0x15, intel), 1: {0x506f1}, 0x15: {3, 264}},
			Declared{Hz: 2_200_000_000, By: ByCrystal, APIC: 25_000_000, Exact: true, Constant: true}},
		{"AMD is not asked", cpu{0: vendor(0x16, amd), 0x15: {2, 216, 24_000_000}, 0x16: {2600}}, Declared{}},
		{"no denominator", cpu{0: vendor(0x15, intel), 0x15: {0, 216, 24_000_000}}, Declared{}},
		{"absurd", cpu{0: vendor(0x16, intel), 0x15: {1, ^uint32(0), ^uint32(0)}, 0x16: {^uint32(0)}}, Declared{}},
		{"hypervisor", cpu{0: vendor(0x16, intel), 1: {0, 0, hv}, 0x40000000: {0x40000010}, 0x40000010: {2_100_000, 66_000}, 0x16: {3000}},
			Declared{Hz: 2_100_000_000, By: ByHypervisor, APIC: 66_000_000, Exact: true, Hypervisor: true}},
		{"hypervisor without a figure", cpu{0: vendor(0x16, intel), 1: {0, 0, hv}, 0x40000000: {0x40000001}, 0x16: {3000}},
			Declared{Hz: 3_000_000_000, By: ByBase, Hypervisor: true}},
	} {
		if got := Declare(c.cpu.id); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestSteady has real CPUs by their signatures.
func TestSteady(t *testing.T) {
	invariant := [4]uint32{0, 0, 0, 1 << 8}
	for _, c := range []struct {
		name string
		cpu  cpu
		want bool
	}{
		{"Athlon 64 X2", cpu{0: vendor(1, amd), 1: {0x40fb2}, 0x80000000: {0x80000018}, 0x80000007: {0, 0, 0, 0x3f}}, false},
		{"Phenom II", cpu{0: vendor(5, amd), 1: {0x100f43}, 0x80000000: {0x8000001b}, 0x80000007: invariant}, true},
		{"Pentium 4, Northwood", cpu{0: vendor(2, intel), 1: {0xf29}}, false},
		{"Pentium 4, Prescott", cpu{0: vendor(5, intel), 1: {0xf34}}, true},
		{"Pentium M", cpu{0: vendor(2, intel), 1: {0x6d8}}, false},
		{"Core 2", cpu{0: vendor(10, intel), 1: {0x6f6}}, true},
		{"Core i7", cpu{0: vendor(0x16, intel), 1: {0x906ea}, 0x80000000: {0x80000008}, 0x80000007: invariant}, true},
		{"another maker's", cpu{0: vendor(10, [3]uint32{1, 2, 3}), 1: {0x6f6}}, false},
		{"virtual", cpu{0: vendor(10, amd), 1: {0xf40, 0, 1 << 31}}, true},
	} {
		if d := Declare(c.cpu.id); d.Steady() != c.want {
			t.Errorf("%s: %t, %+v", c.name, !c.want, d)
		}
	}
}

func FuzzDeclare(f *testing.F) {
	f.Add(uint32(0x16), true, uint32(0x506f1), uint32(0), uint32(2), uint32(216), uint32(24_000_000), uint32(2600), uint32(0x40000010), uint32(1))
	f.Add(uint32(0x15), true, uint32(0), ^uint32(0), uint32(0), uint32(0), uint32(0), uint32(0), uint32(0), uint32(0))
	f.Add(^uint32(0), true, ^uint32(0), ^uint32(0), uint32(1), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0))
	f.Fuzz(func(t *testing.T, max uint32, isIntel bool, sig, features, den, num, crystal, base, top, khz uint32) {
		v := amd
		if isIntel {
			v = intel
		}
		d := Declare(cpu{0: vendor(max, v), 1: {sig, 0, features}, 7: {0, khz}, 0x15: {den, num, crystal}, 0x16: {base},
			0x40000000: {top}, 0x40000010: {khz, num}, 0x80000000: {top}, 0x80000007: {0, 0, 0, khz}}.id)
		if d.Hz != 0 && (d.Hz < minHz || d.Hz > maxHz) {
			t.Errorf("%d Hz", d.Hz)
		}
		if (d.Hz == 0) != (d.By == ByNothing) || d.Exact && d.Hz == 0 {
			t.Errorf("%+v", d)
		}
		if d.Exact && d.By == ByBase {
			t.Errorf("a nominal figure taken for exact: %+v", d)
		}
		fr := Choose(d, nil)
		if fr.Hz < minHz || fr.Hz > maxHz {
			t.Errorf("chosen: %+v", fr)
		}
	})
}

// FuzzMeasure has counters that count as the input says.
func FuzzMeasure(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8}, uint64(14318180), uint(32), uint64(1000))
	f.Add([]byte{0, 0, 255, 255}, uint64(1193182), uint(16), uint64(1<<40))
	f.Fuzz(func(t *testing.T, steps []byte, hz uint64, bits uint, unit uint64) {
		if len(steps) < 2 {
			return
		}
		var count, ticks, n uint64
		next := func() uint64 { n++; return uint64(steps[n%uint64(len(steps))]) }
		ref := Reference{"fuzz", hz, bits, func() uint64 { count += next(); return count }}
		tsc := func() uint64 { ticks += next()*(unit>>8) + 1<<20; return ticks }
		r := Measure(tsc, []Reference{ref}, 1e6)
		if hz := r[0].Hz; hz != 0 && (hz < minHz || hz > maxHz || r[0].Error > mostError) {
			t.Errorf("%+v", r[0])
		}
		w := Watchdog{Hz: hz, Ref: &ref}
		for range 8 {
			v, ahead := w.Check(Sample{ref.Read(), tsc(), next()})
			if v > Wrong || v == Fine && (ahead > 1<<61 || ahead < -1<<61) {
				t.Errorf("%d, %d", v, ahead)
			}
		}
	})
}
