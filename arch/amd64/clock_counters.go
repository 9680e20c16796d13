//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"

	"tamarix/arch/acpi"
	"tamarix/arch/tsc"
)

// The counters of known frequency that a PC has beside the time stamp counter.

// HPET registers (IA-PC HPET specification 1.0a, 2.3).
const (
	hpetCapabilities = 0x00 // bits 32-63: the period in fs
	hpetConfig       = 0x10
	hpetCounter      = 0xf0
	hpetSize         = 0x400

	hpetEnable    = 1 << 0 // of the configuration: the counter runs
	hpetLegacy    = 1 << 1 // its timers take the PIT's and the RTC's interrupts
	hpetMaxPeriod = 100_000_000
	hpetMinPeriod = 1_000_000 // a faster one would come round between two ticks
)

// pmTimerHz is the frequency of the ACPI power management timer (ACPI 4.8.3.3).
const pmTimerHz = 3_579_545

// The 8254 interval timer, whose frequency is a constant of nature on a PC.
const (
	pitHz      = 1_193_182 // 14.31818 MHz / 12
	pitChannel = 0x42      // data port of channel 2
	pitCommand = 0x43
	pitGate    = 0x61 // bit 0: gate of channel 2; bit 1: speaker

	pitMode0Both = 0xb0 // channel 2, low then high byte, mode 0 (count down once)
	pitLatch2    = 0x80 // channel 2, latch the count
)

// hpetRegs is where the HPET's registers are mapped; pmTimer the port or the
// address of the power management timer. Set once at boot; 0: there is none.
var (
	hpetRegs   uintptr
	hpetPeriod uint64 // fs
	pmTimer    uintptr
	pmPort     bool
)

// hpetFind maps the HPET and starts it. The counter has 32 or 64 bits; 32 are
// used, which one reading gets at once on any machine.
func hpetFind() bool {
	f := &firmware
	if v, _ := bootInfo.Option("hpet"); !f.hasHPET || string(v) == "disable" {
		return false
	}
	var l line
	l.str("clocks: HPET at ").hex(f.hpet.Address)
	regs := MapDevice(f.hpet.Address, hpetSize)
	if regs == 0 {
		l.str(": out of reach, not used").note(stepWarning)
		return false
	}
	period := uint64(hpetRead(regs, hpetCapabilities+4))
	l.str(", period ").dec(period).str(" fs")
	if period < hpetMinPeriod || period > hpetMaxPeriod {
		l.str(": makes no sense, not used").note(stepWarning)
		return false
	}
	l.note(stepInfo)
	c := hpetRead(regs, hpetConfig)
	*hpetRegister(regs, hpetConfig) = c&^hpetLegacy | hpetEnable
	hpetRegs, hpetPeriod = regs, period
	slowHPET = slowSource{reg: uint64(regs + hpetCounter), shift: 32, mult: period << 32 / 1_000_000}
	return true
}

func hpetRegister(regs, off uintptr) *uint32 { return (*uint32)(unsafe.Pointer(regs + off)) }

func hpetRead(regs, off uintptr) uint32 { return atomic.LoadUint32(hpetRegister(regs, off)) }

func readHPET() uint64 { return uint64(hpetRead(hpetRegs, hpetCounter)) }

// pmFind looks for the power management timer.
func pmFind() bool {
	f := &firmware
	a := f.fadt.PMTimer
	if !f.hasFADT || a.Addr == 0 {
		return false
	}
	switch a.Space {
	case acpi.SpacePort:
		pmTimer, pmPort = uintptr(a.Addr), true
	case acpi.SpaceMemory:
		if pmTimer = MapDevice(a.Addr, 4); pmTimer == 0 {
			return false
		}
	default:
		return false
	}
	slowPM = slowSource{reg: uint64(pmTimer), shift: 64 - 24, mult: 1_000_000_000 << 32 / pmTimerHz}
	bits := uint64(24)
	if f.fadt.PMTimer32 {
		slowPM.shift, bits = 64-32, 32
	}
	if pmPort {
		slowPM.port = 1
	}
	var l line
	l.str("clocks: power management timer at ").hex(a.Addr).str(", ").dec(bits).str(" bits").note(stepInfo)
	return true
}

func readPM() uint64 {
	if pmPort {
		return uint64(inl(uint16(pmTimer)))
	}
	return uint64(hpetRead(pmTimer, 0))
}

// pitStart makes channel 2 count down from its top, over and over.
func pitStart() {
	outb(pitGate, inb(pitGate)&^2|1)
	outb(pitCommand, pitMode0Both)
	outb(pitChannel, 0xff)
	outb(pitChannel, 0xff)
	inb(pitGate)
}

// readPIT returns the count, turned round so that it counts up.
func readPIT() uint64 {
	outb(pitCommand, pitLatch2)
	c := uint64(inb(pitChannel))
	c |= uint64(inb(pitChannel)) << 8
	return ^c & 0xffff
}

// The references by source. Entries with a Hz of 0 are not there.
var references [3]tsc.Reference

const (
	refHPET = iota
	refPM
	refPIT
)

// refTrust has them in the order of trust: where a power management timer's and the
// PIT's results differ, it is the PIT that has been a PC's since the first one, and
// that Linux believes.
var refTrust = [len(references)]int{refHPET, refPIT, refPM}

// findReferences fills in references. The PIT is slow to read, and virtual
// machines are slow at it: it is for those that lack one of the others.
func findReferences() {
	if hpetFind() {
		references[refHPET] = tsc.Reference{Name: "HPET", Hz: 1_000_000_000_000_000 / hpetPeriod, Bits: 32, Read: readHPET}
	}
	if pmFind() {
		references[refPM] = tsc.Reference{Name: "power management timer", Hz: pmTimerHz, Bits: uint(64 - slowPM.shift), Read: readPM}
	}
	if references[refHPET].Hz == 0 || references[refPM].Hz == 0 {
		pitStart()
		references[refPIT] = tsc.Reference{Name: "PIT", Hz: pitHz, Bits: 16, Read: readPIT}
	}
}
