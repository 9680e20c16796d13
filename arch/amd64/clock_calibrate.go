//go:build tamarix

package amd64

// Calibration of the time-stamp counter against the 8254 interval timer, which
// every PC has and whose frequency is a constant of nature.

const (
	pitHz      = 1193182 // 14.31818 MHz / 12
	pitChannel = 0x42    // data port of channel 2
	pitCommand = 0x43
	pitGate    = 0x61 // bit 0: gate of channel 2; bit 1: speaker

	pitMode0Both   = 0xb0 // channel 2, low then high byte, mode 0 (count down once)
	pitLatch2      = 0x80 // channel 2, latch the count
	calibrateTicks = pitHz / 100

	// tscFallbackHz is assumed on a machine without a working timer.
	tscFallbackHz = 1_000_000_000
)

// pitSample reads the timer's count and the time-stamp counter at the same
// moment. Whatever delays the processor between the two (a system management
// interrupt, a busy host) shows as a long reading; the shortest of a few wins.
func pitSample() (count uint16, tsc uint64) {
	best := ^uint64(0)
	for range 8 {
		before := rdtsc()
		outb(pitCommand, pitLatch2)
		after := rdtsc()
		c := uint16(inb(pitChannel))
		c |= uint16(inb(pitChannel)) << 8
		if d := after - before; d < best {
			best, count, tsc = d, c, before+d/2
		}
	}
	return count, tsc
}

// calibrateTSC measures the frequency of the time-stamp counter in Hz, which
// takes 10 ms. It runs on the boot processor before the Go runtime does.
func calibrateTSC() uint64 {
	for range 8 {
		if hz := measureTSC(); hz != 0 {
			return hz
		}
	}
	if hz := cpuidTSC(); hz != 0 {
		return hz
	}
	return tscFallbackHz
}

// measureTSC counts time stamps during calibrateTicks of the timer. It returns 0
// if that failed: there is no such timer, or the processor stood still for so
// long (a virtual one, on a busy host) that the timer may have wrapped unseen.
func measureTSC() uint64 {
	outb(pitGate, inb(pitGate)&^2|1)
	outb(pitCommand, pitMode0Both)
	outb(pitChannel, 0xff)
	outb(pitChannel, 0xff)
	// The count is loaded with the timer's next clock: wait until it runs.
	var c0 uint16
	var t0 uint64
	for range 1000 {
		if c0, t0 = pitSample(); c0 > 0xf000 && c0 < 0xffff {
			break
		}
	}
	last, gap := t0, uint64(0)
	for range 1 << 20 {
		c1, t1 := pitSample()
		gap, last = max(gap, t1-last), t1
		if d := uint64(c0 - c1); d >= calibrateTicks {
			if c1 > c0 || t1 <= t0 || gap > (t1-t0)/2 {
				return 0
			}
			return (t1 - t0) * pitHz / d
		}
	}
	return 0
}

// cpuidTSC returns the frequency that the CPU itself declares: leaf 0x15 (Intel
// SDM volume 3B, 18.7.3), or 0.
func cpuidTSC() uint64 {
	if max, _, _, _ := cpuid(0, 0); max < 0x15 {
		return 0
	}
	den, num, crystal, _ := cpuid(0x15, 0)
	if den == 0 || num == 0 {
		return 0
	}
	return uint64(crystal) * uint64(num) / uint64(den)
}
