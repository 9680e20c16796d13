//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"

	"tamarix/boot/info"
)

// percpu.online, while a CPU is started.
const (
	cpuOff       = iota
	cpuOnline    // it runs
	cpuClaimed   // it has come, and is getting ready
	cpuAbandoned // it has not come in time, and must not any more
)

// What became of the CPUs of the MADT, for the log. Set once at boot.
var (
	silentCPUs [16]uint32 // APIC ids of those that did not come
	silentCPU  int        // how many did not
	foreignCPU int        // how many have an id that this machine's APICs cannot name
)

// trampoline is the page where other CPUs begin, lowRoot the tables they begin
// on, below 4 GiB; physical addresses, 0 if there is no room. Set once at boot.
var trampoline, lowRoot uint64

var apFn = apMain

// apMain is the first Go code on another CPU. It returns to resume, which
// begins the idle thread.
func apMain(c *percpu) {
	cpuLoad(c)
	syncNew() // before it reads the clock
	c.lastStamp = Nanotime()
	c.current = c.idle
	t := threadAt(c.idle)
	t.IP, t.Flags, t.full = pcIdle(), flagIF|flagFixed, 1
	t.state = threadRunning
	lock(&sched.lock)
	sched.idleCPUs[c.index/64] |= 1 << (c.index & 63)
	unlock(&sched.lock)
	atomic.StoreUint32(&c.online, cpuOnline)
}

// startCPUs starts the other CPUs of the MADT, as many as the command line
// allows, and returns when they run. One that does not come is left out.
//
// The order is that of the SDM (vol. 3A, 10.4.4): INIT, to all of them at once,
// 10 ms, then for one after the other a start-up message, and a second one if
// 200 us later nothing has happened.
func startCPUs(boot *percpu) {
	limit := cpuLimit()
	if limit <= 1 || len(madt.CPUs()) <= 1 {
		return
	}
	if trampoline == 0 || lowRoot == 0 {
		new(line).str("no free page below 1 MiB: one CPU only").note(stepWarning)
		return
	}
	trampolineInit()
	for _, p := range madt.CPUs() {
		if startable(boot, p.APICID) {
			sendIPI(p.APICID, icrInit)
		}
	}
	BusyWait(10e6)
	n := 1
	var c *percpu // the next CPU's area
	for _, p := range madt.CPUs() {
		if n >= limit {
			break
		}
		if !startable(boot, p.APICID) {
			if p.APICID != boot.apicID {
				foreignCPU++
			}
			continue
		}
		if c == nil {
			c = newCPU(n)
		}
		c.apicID, c.online = p.APICID, cpuOff
		if startCPU(c) {
			n++
			atomic.StoreUint32(&cpuCount, uint32(n))
			c = nil
			continue
		}
		if silentCPU < len(silentCPUs) {
			silentCPUs[silentCPU] = p.APICID
		}
		silentCPU++
		if c.online != cpuAbandoned {
			break // it hangs somewhere in its area: that cannot be another's
		}
	}
}

// startable reports whether a CPU is another one than that which runs, with an
// id that can be sent to.
func startable(boot *percpu, apicID uint32) bool {
	return apicID != boot.apicID && (x2apic || apicID < firstX2ID)
}

// newCPU makes the area of the CPU with that index.
func newCPU(index int) *percpu {
	order := 0
	for PageSize<<order < unsafe.Sizeof(percpu{}) {
		order++
	}
	c := (*percpu)(newArea(order))
	areaInit(c, uint32(index), 0)
	return c
}

// startCPU wakes one CPU, which is in the INIT state. If it returns false and
// c.online is cpuAbandoned, the CPU will not come later either.
func startCPU(c *percpu) bool {
	new(line).str("start-up: CPU ").dec(uint64(c.index)).str(", APIC id ").dec(uint64(c.apicID)).note(stepInfo)
	*(*uint64)(physPointer(trampoline + trampolineCPU)) = c.self
	for range 2 {
		sendIPI(c.apicID, startupCommand(trampoline))
		if waitCPU(c, 200) {
			break
		}
	}
	const patience = 5_000_000 // a virtual CPU may have to wait for a real one
	if !waitCPU(c, patience) && atomic.CompareAndSwapUint32(&c.online, cpuOff, cpuAbandoned) {
		sendIPI(c.apicID, icrInit) // should it wake after all, it waits again
		BusyWait(200e3)
		return false
	}
	for end := busyTime() + patience*1000; busyTime() < end; pause() {
		if atomic.LoadUint32(&c.online) == cpuOnline {
			return true
		}
		if !syncServe(c.index) {
			return false
		}
	}
	return false
}

// waitCPU waits so many microseconds for a CPU to come, and reports whether it
// has.
func waitCPU(c *percpu, us int64) bool {
	for end := busyTime() + us*1000; busyTime() < end; pause() {
		if atomic.LoadUint32(&c.online) != cpuOff {
			return true
		}
	}
	return false
}

// trampolineReserve takes the memory that the start of other CPUs needs, before
// the frame allocator has it.
func trampolineReserve(b *info.Boot) {
	word := func(addr uint64) uint16 {
		p := PhysicalMemory(addr, 2)
		if p == nil {
			return 0
		}
		return uint16(p[0]) | uint16(p[1])<<8
	}
	trampoline = trampolinePage(b, word(0x40e), word(0x413))
	if pa, err := b.Carve(PageSize, 4<<30); err == nil {
		lowRoot = pa
	}
}

// trampolineInit writes the trampoline and tables that map it where it lies,
// beside the kernel.
func trampolineInit() {
	root := Frame(lowRoot)
	*root.Words() = *kernelRoot.Words()
	t := root
	for shift := uint(39); shift > PageShift; shift -= indexBits {
		f, ok := AllocZeroFrame(UseKernel)
		if !ok {
			fatal("no memory", 0)
		}
		StorePTE(entry(t, trampoline, shift), PTE(f)|ptePresent|pteWritable)
		t = f
	}
	StorePTE(entry(t, trampoline, PageShift), PTE(trampoline)|ptePresent|pteWritable)
	layTrampoline(Frame(trampoline).Page(), trampoline, lowRoot, pcAPEntry(), noExec != 0)
}

// cpuLimit returns how many CPUs may run: maxcpus=, nr_cpus= and nosmp of the
// command line.
func cpuLimit() int {
	limit := uint64(MaxCPUs)
	for _, name := range [...]string{"maxcpus", "nr_cpus"} {
		if v, ok := bootInfo.Option(name); ok {
			n, any := uint64(0), false
			for _, ch := range v {
				if ch < '0' || ch > '9' || n > MaxCPUs {
					break
				}
				n, any = n*10+uint64(ch-'0'), true
			}
			if any {
				limit = min(limit, max(n, 1))
			}
		}
	}
	if _, ok := bootInfo.Option("nosmp"); ok {
		limit = 1
	}
	return int(limit)
}
