//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"
)

// The local APIC, through an uncached mapping in the upper half (SDM vol. 3A,
// chapter 11).
const (
	apicID        = 0x20
	apicTPR       = 0x80
	apicEOI       = 0xb0
	apicSpurious  = 0xf0
	apicICRLow    = 0x300
	apicICRHigh   = 0x310
	apicLVTTimer  = 0x320
	apicLVTPerf   = 0x340
	apicLVT0      = 0x350
	apicLVT1      = 0x360
	apicLVTError  = 0x370
	apicInitial   = 0x380
	apicCurrent   = 0x390
	apicDivide    = 0x3e0
	apicDivideBy1 = 0xb

	apicEnable  = 1 << 8
	lvtMasked   = 1 << 16
	icrPending  = 1 << 12
	icrAssert   = 1 << 14
	icrNMI      = 4 << 8
	icrInit     = 5 << 8
	icrStartup  = 6 << 8
	destination = 24
)

// apicRegs is where the registers are mapped; apicHz the timer's frequency.
// Set once at boot.
var (
	apicRegs uintptr
	apicHz   uint64
	apicMult uint64 // timer ticks per ns, scaled by 2^20
)

//go:nosplit
func apicRead(r uintptr) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(apicRegs + r)))
}

//go:nosplit
func apicWrite(r uintptr, v uint32) {
	// A plain store: a locked one is undefined on device memory.
	*(*uint32)(unsafe.Pointer(apicRegs + r)) = v
}

//go:nosplit
func endOfInterrupt() { apicWrite(apicEOI, 0) }

// sendIPI sends a vector to a CPU. Interrupts are off: the command register is
// written in two halves.
//
//go:nosplit
func sendIPI(to uint32, vector uint32) {
	for apicRead(apicICRLow)&icrPending != 0 {
		pause()
	}
	apicWrite(apicICRHigh, to<<destination)
	apicWrite(apicICRLow, vector|icrAssert)
}

// sendIPIAnywhere is sendIPI for goroutines.
//
//go:nosplit
func sendIPIAnywhere(to uint32, vector uint32) {
	s := pin()
	sendIPI(to, vector)
	unpin(s)
}

//go:nosplit
func sendNMI(to uint32) { sendIPI(to, icrNMI) }

// apicMap maps the registers. The MADT and the CPU should agree on where they
// are; the CPU knows.
func apicMap() {
	base := rdmsr(msrAPICBase) & (physicalLimit() - 1) &^ (PageSize - 1)
	if apicRegs = MapDevice(base, PageSize); apicRegs == 0 {
		fatal("cannot map the local APIC", base)
	}
}

// apicInit readies this CPU's APIC. Firmware may have left it in x2APIC mode,
// whose registers are not in memory: it goes back by way of disabled.
func apicInit() {
	const enabled, x2 = 1 << 11, 1 << 10 // of IA32_APIC_BASE
	if base := rdmsr(msrAPICBase); base&x2 != 0 {
		wrmsr(msrAPICBase, base&^(enabled|x2))
		wrmsr(msrAPICBase, base&^x2|enabled)
	}
	apicWrite(apicTPR, 0)
	apicWrite(apicLVTTimer, vectorTimer) // one-shot
	apicWrite(apicLVTPerf, lvtMasked)
	apicWrite(apicLVT0, lvtMasked)
	apicWrite(apicLVT1, icrNMI)
	apicWrite(apicLVTError, vectorError)
	apicWrite(apicDivide, apicDivideBy1)
	apicWrite(apicSpurious, apicEnable|vectorSpurious)
}

// apicCalibrate measures the timer against the time stamp counter.
func apicCalibrate() {
	const us = 2000
	apicWrite(apicLVTTimer, lvtMasked)
	apicWrite(apicInitial, ^uint32(0))
	end := rdtsc() + tscHz*us/1_000_000
	for rdtsc() < end {
	}
	n := uint64(^uint32(0) - apicRead(apicCurrent))
	apicWrite(apicInitial, 0)
	apicWrite(apicLVTTimer, vectorTimer)
	apicHz = n * (1_000_000 / us)
	apicMult = apicHz << 20 / 1_000_000_000
	if apicMult == 0 {
		fatal("the APIC timer does not run", apicHz)
	}
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
	if t.isIdle != 0 {
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
