//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"

	"tamarix/arch/tsc"
)

// The local APIC (SDM vol. 3A, chapter 11): in xAPIC mode through an uncached
// mapping in the upper half, in x2APIC mode by MSRs (apic_mode.go says which).
const (
	apicID        = 0x20
	apicVersion   = 0x30
	apicTPR       = 0x80
	apicEOI       = 0xb0
	apicSpurious  = 0xf0
	apicISR       = 0x100 // eight registers, 0x10 apart
	apicErrors    = 0x280
	apicLVTCMCI   = 0x2f0
	apicICRLow    = 0x300
	apicICRHigh   = 0x310
	apicLVTTimer  = 0x320
	apicLVTHeat   = 0x330
	apicLVTPerf   = 0x340
	apicLVT0      = 0x350
	apicLVT1      = 0x360
	apicLVTError  = 0x370
	apicInitial   = 0x380
	apicCurrent   = 0x390
	apicDivide    = 0x3e0
	apicDivideBy1 = 0xb

	apicEnable = 1 << 8

	// MSRs of x2APIC mode: that of a register at offset r is msrX2APIC + r>>4.
	msrX2APIC = 0x800
	msrX2ID   = msrX2APIC + apicID>>4
	msrX2ICR  = msrX2APIC + apicICRLow>>4
	msrX2Self = 0x83f

	apicBaseOn = 1 << 11 // of IA32_APIC_BASE
	apicBaseX2 = 1 << 10
)

// x2apic is the mode; apicWhy the reason for it; apicRegs where the registers are
// mapped in the other; apicHz the timer's frequency. Set once at boot.
var (
	x2apic   bool
	apicWhy  string
	apicRegs uintptr
	apicHz   uint64
	apicMult uint64 // timer ticks per ns, scaled by 2^20
)

//go:nosplit
func apicRead(r uintptr) uint32 {
	if x2apic {
		return uint32(rdmsr(msrX2APIC + uint32(r>>4)))
	}
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(apicRegs + r)))
}

//go:nosplit
func apicWrite(r uintptr, v uint32) {
	if x2apic {
		wrmsr(msrX2APIC+uint32(r>>4), uint64(v))
		return
	}
	// A plain store: a locked one is undefined on device memory.
	*(*uint32)(unsafe.Pointer(apicRegs + r)) = v
}

//go:nosplit
func endOfInterrupt() { apicWrite(apicEOI, 0) }

// endSpurious ends the interrupt of a vector that should want no end, if somebody
// has sent it as an ordinary one: it would keep all lower vectors away.
func endSpurious(v uint8) {
	if apicRead(apicISR+uintptr(v/32)*0x10)>>(v%32)&1 != 0 {
		endOfInterrupt()
	}
}

// sendIPI sends a command, which for most is a vector, to a CPU. Interrupts are
// off: in xAPIC mode the command register is written in two halves.
//
//go:nosplit
func sendIPI(to uint32, command uint32) {
	if x2apic {
		// What was written before is to be seen by the CPU that is sent to, and
		// a write of such an MSR does not wait for that (SDM vol. 3A, 11.12.3).
		fence()
		wrmsr(msrX2ICR, x2Command(to, command|icrAssert))
		return
	}
	awaitICR()
	apicWrite(apicICRHigh, to<<xapicDestination)
	apicWrite(apicICRLow, command|icrAssert)
}

// sendIPIAnywhere is sendIPI for goroutines.
//
//go:nosplit
func sendIPIAnywhere(to uint32, vector uint32) {
	s := pin()
	sendIPI(to, vector)
	unpin(s)
}

// sendSelf sends a vector to the CPU that runs it. Even a non-maskable interrupt
// may: what it interrupts may have written the upper half of the command register,
// and that is left as it is.
//
//go:nosplit
func sendSelf(vector uint8) {
	if x2apic {
		wrmsr(msrX2Self, uint64(vector))
		return
	}
	awaitICR()
	apicWrite(apicICRLow, uint32(vector)|icrAssert|icrSelf)
}

// awaitICR waits until the last command has gone, which takes a bus cycle or so.
// Should an APIC never say so, even a dying kernel gets any further.
//
//go:nosplit
func awaitICR() {
	for n := 0; n < 1<<16 && apicRead(apicICRLow)&icrPending != 0; n++ {
		pause()
	}
}

//go:nosplit
func sendNMI(to uint32) { sendIPI(to, icrNMI) }

// readAPICID returns this CPU's id.
func readAPICID() uint32 {
	if x2apic {
		return uint32(rdmsr(msrX2ID))
	}
	return apicRead(apicID) >> xapicDestination
}

// apicCalibrate finds the frequency of the timer: it is measured against the clock.
// A figure that the CPU gives is more exact, and is taken if it is near.
func apicCalibrate() {
	k := &clocks
	apicWrite(apicLVTTimer, lvtMasked)
	apicWrite(apicInitial, ^uint32(0))
	measured := uint64(0)
	for range 5 {
		t0, c0, w0 := apicSample()
		BusyWait(2e6)
		t1, c1, w1 := apicSample()
		if d := t1 - t0; d > 0 && c0 > c1 {
			measured = uint64(c0-c1) * 1_000_000_000 / uint64(d)
			// Good to a few parts in ten thousand?
			if (w0+w1)*3000 < d {
				break
			}
		}
	}
	apicWrite(apicInitial, 0)
	apicWrite(apicLVTTimer, vectorTimer)
	apicHz, k.apicHow = measured, "measuring"
	if d := k.declared.APIC; d != 0 && measured != 0 && tsc.Agree(d, measured) {
		apicHz, k.apicHow = d, k.declared.By.String()
	}
	apicMult = apicHz << 20 / 1_000_000_000
	if apicMult == 0 {
		fatal("the APIC timer does not run", apicHz)
	}
	new(line).str("clocks: local APIC timer at ").mhz(apicHz).str(" by ").str(k.apicHow).note(stepInfo)
}

// apicSample reads the clock and the timer's count at the same moment, and how many
// ns that took; the shortest of a few wins.
func apicSample() (at int64, count uint32, width int64) {
	width = 1 << 62
	for range 8 {
		before := Nanotime()
		c := apicRead(apicCurrent)
		if w := Nanotime() - before; w < width {
			at, count, width = before+w/2, c, w
		}
	}
	return at, count, width
}

// tickLength is how long a busy CPU goes without looking around.
const tickLength = 1_000_000

// armTimer makes this CPU's timer fire at deadline, if it does not do so
// earlier anyway.
//   - Interrupts are off.
func armTimer(c *percpu, deadline int64) {
	if c.tickAt != 0 && c.tickAt <= deadline {
		return
	}
	now := Nanotime()
	c.tickAt = now + min(max(deadline-now, 1000), 1_000_000_000)
	programTimer(c, now)
}

// programTimer makes the timer fire at c.tickAt or c.sampleAt, whichever is
// sooner.
//   - Interrupts are off; one of the two is set.
//
//go:nosplit
func programTimer(c *percpu, now int64) {
	at := c.tickAt
	if c.sampleAt != 0 && (at == 0 || c.sampleAt < at) {
		at = c.sampleAt
	}
	d := uint64(min(max(at-now, 1000), 1_000_000_000))
	apicWrite(apicInitial, uint32(min(d*apicMult>>20+1, 1<<32-1)))
}

// armTick arms the tick of a busy CPU.
func armTick(c *percpu) { armTimer(c, Nanotime()+tickLength) }

// tick is the timer interrupt on c, which came while t ran, in ring 3 if user.
func tick(c *percpu, t *kthread, user bool) {
	c.tickAt = 0
	d := charge(c, user)
	setCoarse(c.lastStamp)
	if user && c.user != 0 {
		u := (*UserContext)(unsafe.Pointer(uintptr(c.user)))
		atomic.AddInt64(&u.userTime, d)
	}
	now := Nanotime()
	if a := atomic.LoadInt64(&sched.armed); a != 0 && now >= a {
		lock(&sched.lock)
		expire(c, now)
		unlock(&sched.lock)
	} else if a != 0 {
		armTimer(c, a)
	}
	slowTick()
	if t.isIdle != 0 {
		// The boot CPU's ticks keep the clock when all are idle.
		if slowNow != 0 && c.index == 0 {
			armTimer(c, now+slowTickLength)
		}
		return
	}
	armTick(c)
	if atomic.LoadUint32(&sched.ready) != 0 {
		c.preempt = 1
	}
}

// setCoarse moves the coarse clock on to now.
func setCoarse(now int64) { advance(coarseWord(), now) }

// charge books the time since the last booking, and returns it. Busy time is
// split between ring 3 and the kernel by where the next tick finds the CPU;
// until then it is noted as undecided.
func charge(c *percpu, user bool) int64 {
	now := Nanotime()
	d := now - c.lastStamp
	c.lastStamp = now
	switch {
	case c.current == c.idle:
		atomic.AddInt64(&c.idleTime, d)
		return 0
	case user:
		d += c.undecided
		atomic.AddInt64(&c.userTime, d)
	default:
		d += c.undecided
		atomic.AddInt64(&c.systemTime, d)
	}
	c.undecided = 0
	return d
}

// chargeSwitch books when a CPU goes idle or stops being so.
func chargeSwitch(c *percpu) {
	if c.current == c.idle {
		charge(c, false)
		setCoarse(c.lastStamp)
		return
	}
	now := Nanotime()
	c.undecided += now - c.lastStamp
	c.lastStamp = now
}

// CPUTimes returns how long CPU i has spent in ring 3, in the kernel and idle, in ns.
func CPUTimes(i int) (user, system, idle int64) {
	if i < 0 || i >= NumCPU() {
		return 0, 0, 0
	}
	c := cpuByIndex(i)
	user, system, idle = atomic.LoadInt64(&c.userTime), atomic.LoadInt64(&c.systemTime), atomic.LoadInt64(&c.idleTime)
	// A CPU that has been idle for long has not booked it yet.
	if d := Nanotime() - atomic.LoadInt64(&c.lastStamp); d > 0 && atomic.LoadUint64(&c.current) == c.idle {
		idle += d
	}
	return user, system, idle
}
