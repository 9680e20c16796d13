package tsc

import "math/bits"

// CPUID executes the instruction of that name.
type CPUID func(leaf, sub uint32) (a, b, c, d uint32)

// Declared is what the CPU, or the hypervisor below it, says of its counter.
type Declared struct {
	Hz   uint64 // 0: nothing that could be used
	By   By     // where Hz comes from
	APIC uint64 // frequency of the local APIC's timer in Hz; 0: not said

	// Exact: Hz is what the counter is made to run at, not a nominal figure
	// rounded to a megahertz. There is no need to measure.
	Exact bool

	Invariant  bool // the counter's rate depends on no power state (SDM vol. 3B, 18.17.1)
	Constant   bool // it depends on no performance state; a deep sleep may stop it (18.17)
	Adjust     bool // there is IA32_TSC_ADJUST
	Hypervisor bool // the machine is virtual
}

// By says where a frequency comes from.
type By uint8

const (
	ByNothing    By = iota
	ByHypervisor    // CPUID leaf 0x40000010
	ByCrystal       // CPUID leaf 0x15
	ByBase          // CPUID leaves 0x15 and 0x16, or 0x16 alone: nominal
	ByMeasuring     // measured against another counter
	ByGuess         // nothing else was to be had
)

// String returns what the log says.
func (b By) String() string {
	switch b {
	case ByHypervisor:
		return "hypervisor (CPUID 0x40000010)"
	case ByCrystal:
		return "crystal (CPUID 0x15)"
	case ByBase:
		return "base frequency (CPUID 0x16)"
	case ByMeasuring:
		return "measuring"
	case ByGuess:
		return "guess"
	}
	return "nothing"
}

// What is taken for the frequency of a time stamp counter, in Hz.
const (
	minHz = 10_000_000
	maxHz = 50_000_000_000
)

// Declare reads what CPUID says: the leaves 0x15 and 0x16 of Intel CPUs (SDM vol.
// 3B, 18.7.3) and the leaf that hypervisors have for it. As on Linux, other
// vendors' CPUs are not believed to mean the same by these leaves.
func Declare(cpuid CPUID) (d Declared) {
	max, vb, vc, vd := cpuid(0, 0)
	intel := vb == 0x756e6547 && vd == 0x49656e69 && vc == 0x6c65746e // "GenuineIntel"
	sig, _, features, _ := cpuid(1, 0)
	d.Hypervisor = features>>31 != 0
	d.Constant = intel && constant(sig)
	if ext, _, _, _ := cpuid(0x80000000, 0); ext >= 0x80000007 && ext < 0x80010000 {
		_, _, _, power := cpuid(0x80000007, 0)
		d.Invariant = power>>8&1 != 0
	}
	if max >= 7 {
		_, b, _, _ := cpuid(7, 0)
		d.Adjust = b>>1&1 != 0
	}
	if d.Hypervisor {
		if top, _, _, _ := cpuid(0x40000000, 0); top >= 0x40000010 && top < 0x40010000 {
			khz, bus, _, _ := cpuid(0x40000010, 0)
			if d.set(uint64(khz)*1000, ByHypervisor) {
				d.Exact = true
				d.APIC = uint64(bus) * 1000
				return d
			}
		}
	}
	if !intel || max < 0x15 {
		return d
	}
	den, num, crystal, _ := cpuid(0x15, 0)
	base := uint64(0)
	if max >= 0x16 {
		mhz, _, _, _ := cpuid(0x16, 0)
		base = uint64(mhz&0xffff) * 1_000_000
	}
	const denverton = 0x5f // Atom C3000: 25 MHz, and does not say so
	if crystal == 0 && sig>>8&15 == 6 && sig>>4&15|sig>>12&0xf0 == denverton {
		crystal = 25_000_000
	}
	switch {
	case den == 0 || num == 0:
		d.set(base, ByBase)
	case crystal != 0:
		if d.set(scale(uint64(crystal), uint64(num), uint64(den)), ByCrystal) {
			d.Exact = true
			d.APIC = uint64(crystal)
		}
	case d.set(base, ByBase):
		// The crystal drives the APIC's timer, too; it follows from the ratio.
		d.APIC = scale(base, uint64(den), uint64(num))
	}
	return d
}

// Steady reports whether the counter runs at one rate as long as no CPU sleeps
// more deeply than HLT has it do. A hypervisor that does not promise so has its
// guests' counters follow from its own clock all the same.
func (d *Declared) Steady() bool { return d.Invariant || d.Constant || d.Hypervisor }

// constant reports whether the SDM (vol. 3B, 18.17) lists an Intel CPU with that
// signature among those whose counter keeps its rate.
func constant(sig uint32) bool {
	family, model := sig>>8&15, sig>>4&15|sig>>12&0xf0
	return family == 15 && model >= 3 || family == 6 && model >= 0xe
}

// set takes hz for the frequency if it makes sense.
func (d *Declared) set(hz uint64, by By) bool {
	if hz < minHz || hz > maxHz {
		return false
	}
	d.Hz, d.By = hz, by
	return true
}

// scale returns v*num/den; 0 for a den of 0, the greatest number if the result
// does not fit.
func scale(v, num, den uint64) uint64 {
	hi, lo := bits.Mul64(v, num)
	switch {
	case den == 0:
		return 0
	case hi >= den:
		return ^uint64(0)
	}
	q, _ := bits.Div64(hi, lo, den)
	return q
}
