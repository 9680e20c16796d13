//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"
)

var apFn = apMain

// apMain is the first Go code on another CPU. It returns to resume, which
// begins the idle thread.
func apMain(c *percpu) {
	cpuLoad(c)
	c.lastStamp = Nanotime()
	c.current = c.idle
	t := threadAt(c.idle)
	t.IP, t.Flags, t.full = pcIdle(), flagIF|flagFixed, 1
	t.state = threadRunning
	lock(&sched.lock)
	sched.idleCPUs[c.index/64] |= 1 << (c.index & 63)
	unlock(&sched.lock)
	atomic.StoreUint32(&c.online, 1)
}

// The trampoline: one page below 1 MiB, where a CPU begins in real mode.
const (
	trampoline      = 0x8000
	trampolineRoot  = trampoline + 0xf0 // tables for it, 32 bits
	trampolineCPU   = trampoline + 0xf8 // percpu of the CPU to start
	trampolineGDT   = trampoline + 0x100
	trampolineGDTR  = trampoline + 0xe0
	trampolineEntry = trampoline + 0xe8
)

// code is the trampoline. It goes from real mode straight to 64-bit mode.
var trampolineCode = [...]byte{
	0xfa,       // cli
	0x31, 0xc0, // xor ax, ax
	0x8e, 0xd8, // mov ds, ax
	0x66, 0xb8, 0x20, 0x06, 0x00, 0x00, // mov eax, PAE|OSFXSR|OSXMMEXCPT
	0x0f, 0x22, 0xe0, // mov cr4, eax
	0x66, 0xa1, 0xf0, 0x80, // mov eax, [trampolineRoot]
	0x0f, 0x22, 0xd8, // mov cr3, eax
	0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0, // mov ecx, EFER
	0x0f, 0x32, // rdmsr
	0x66, 0x0d, 0x00, 0x01, 0x00, 0x00, // or eax, LME (and NXE, patched in)
	0x0f, 0x30, // wrmsr
	0x66, 0xb8, 0x11, 0x00, 0x01, 0x80, // mov eax, PG|WP|ET|PE
	0x0f, 0x22, 0xc0, // mov cr0, eax
	0x0f, 0x01, 0x16, 0xe0, 0x80, // lgdt [trampolineGDTR]
	0x66, 0xea, // jmp 8:long
	trampolineLong, 0x80, 0x00, 0x00, 0x08, 0x00,
	// long: 64-bit mode
	0xb8, 0x10, 0x00, 0x00, 0x00, // mov eax, 16
	0x8e, 0xd0, // mov ss, ax
	0x48, 0x8b, 0x3c, 0x25, 0xf8, 0x80, 0x00, 0x00, // mov rdi, [trampolineCPU]
	0xff, 0x24, 0x25, 0xe8, 0x80, 0x00, 0x00, // jmp [trampolineEntry]
}

const (
	trampolineEFER = 32 // the byte with LME and NXE
	trampolineLong = 59
)

// startCPUs starts the other CPUs of the MADT, as many as maxcpus= allows, and
// returns when they run.
func startCPUs(boot *percpu) {
	limit := min(commandNumber("maxcpus", MaxCPUs), MaxCPUs)
	want := uint64(1)
	for _, p := range madt.CPUs() {
		if p.APICID == boot.apicID || p.APICID > 254 || want >= limit {
			continue
		}
		order := 0
		for PageSize<<order < unsafe.Sizeof(percpu{}) {
			order++
		}
		areaInit((*percpu)(newArea(order)), uint32(want), p.APICID)
		want++
	}
	if want <= 1 {
		return
	}
	trampolineInit()
	for i := uint64(1); i < want; i++ {
		sendIPI(cpuByIndex(int(i)).apicID, icrInit|icrAssert)
	}
	delay(10_000)
	started := uint32(1)
	for i := uint64(1); i < want; i++ {
		c := cpuByIndex(int(i))
		if !startCPU(c) {
			earlyPrint("CPU does not start: ")
			register("apic", uint64(c.apicID))
			earlyPrint("\n")
			break // the others stay down: indexes are contiguous
		}
		started++
		atomic.StoreUint32(&cpuCount, started)
	}
}

// startCPU wakes one CPU, which is in the INIT state.
func startCPU(c *percpu) bool {
	*(*uint64)(physPointer(trampolineCPU)) = c.self
	for range 2 {
		sendIPI(c.apicID, icrStartup|icrAssert|trampoline>>PageShift)
		end := rdtsc() + tscHz/2
		for rdtsc() < end {
			if atomic.LoadUint32(&c.online) != 0 {
				return true
			}
			pause()
		}
	}
	return false
}

// trampolineInit writes the trampoline and tables that map it where it lies,
// beside the kernel.
func trampolineInit() {
	root, ok := lowFrame()
	if !ok {
		fatal("no memory below 4 GiB", 0)
	}
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

	code := (*[PageSize]byte)(physPointer(trampoline))
	for i, b := range trampolineCode {
		code[i] = b
	}
	if noExec != 0 {
		code[trampolineEFER] |= 8
	}
	*(*uint32)(physPointer(trampolineRoot)) = uint32(root)
	*(*uint64)(physPointer(trampolineEntry)) = pcAPEntry()
	gdt := (*[3]uint64)(physPointer(trampolineGDT))
	gdt[1], gdt[2] = 0x00af9b000000ffff, 0x00cf93000000ffff
	*(*uint16)(physPointer(trampolineGDTR)) = 23
	*(*uint32)(physPointer(trampolineGDTR + 2)) = trampolineGDT
}

// lowFrame returns a zeroed frame below 4 GiB.
func lowFrame() (Frame, bool) {
	for range 1 << 16 {
		f, ok := AllocZeroFrame(UseKernel)
		if !ok || f < 1<<32 {
			return f, ok
		}
		// Above: keep it, so that the next one is another. A machine with so
		// much memory can spare it.
	}
	return 0, false
}

// delay waits for so many microseconds.
func delay(us uint64) {
	end := rdtsc() + tscHz/1_000_000*us
	for rdtsc() < end {
		pause()
	}
}

// commandNumber returns the value of "key=N" on the kernel command line.
func commandNumber(key string, def uint64) uint64 {
	line := bootInfo.CommandLine()
	for i := 0; i+len(key) < len(line); i++ {
		if i > 0 && line[i-1] > ' ' || string(line[i:i+len(key)]) != key || line[i+len(key)] != '=' {
			continue
		}
		n, any := uint64(0), false
		for _, ch := range line[i+len(key)+1:] {
			if ch < '0' || ch > '9' {
				break
			}
			n, any = n*10+uint64(ch-'0'), true
		}
		if any {
			return max(n, 1)
		}
	}
	return def
}
