//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"

	"tamarix/boot/info"
)

// bootInfo is what the loader said. Set once at boot, read-only.
var bootInfo *info.Boot

// BootInfo returns what the loader said.
func BootInfo() *info.Boot { return bootInfo }

// TSCHz returns the frequency of the time stamp counter.
func TSCHz() uint64 { return tscHz }

func useFastClock()

// earlyCoarse is the coarse clock before there is a data page.
var earlyCoarse int64 // atomic

// coarseWord returns where the coarse clock is kept.
//
//go:nosplit
func coarseWord() *int64 {
	if d := vdsoPage.data.Load(); d != nil {
		return &d.coarse
	}
	return &earlyCoarse
}

// advance moves clock on to now. If another CPU does the same just now, that is as
// good.
func advance(clock *int64, now int64) {
	if old := atomic.LoadInt64(clock); old < now {
		atomic.CompareAndSwapInt64(clock, old, now)
	}
}

//go:nosplit
func coarseTime() int64 { return atomic.LoadInt64(coarseWord()) }

// SetWallOffset sets the wall clock.
func SetWallOffset(ns int64) { wallOffset.Store(ns) }

// mainStackSize is the stack that _rt0_amd64_linux takes for m0's g0: it counts
// on 64 KiB below what it is given.
const mainStackSize = 128 << 10

var earlyFn = earlyInit

// earlyInit runs on the boot stack, in trap context in all but name: no heap,
// no runtime. It makes the machine fit for a Go program and returns the stack
// that the program starts with.
func earlyInit(b *info.Boot) uint64 {
	bootInfo = b
	tscBase = rdtsc()
	startStep("start-up: CPU features, memory")
	detectFeatures()
	// The first allocations look for the CPU's area, so that comes first.
	c := firstArea(b)
	wrmsr(msrGSBase, c.self)
	kernelRoot = Frame(b.Root)
	trampolineReserve(b)
	frameInit(b)
	kmapInit()
	patInit()
	screenMap(b)
	areaInit(c, 0, 0)
	stubInit()
	userCopyLow, userCopyHigh, userCopyExit = userCopyRange()

	t := newThread()
	if t == nil {
		fatal("no memory for the first thread", 0)
	}
	t.state = threadRunning
	c.current = t.addr()

	startStep("start-up: ACPI tables")
	if !acpiInit(b) {
		new(line).str("no usable MADT: one CPU only").note(stepWarning)
	}
	clockInit()
	startStep("start-up: local APIC and I/O APICs")
	apicMap()
	cpuLoad(c)
	c.apicID = readAPICID()
	initPIC()
	initIOAPICs()
	apicCalibrate()
	syncStart()
	c.online = cpuOnline
	c.lastStamp = Nanotime()
	startCPUs(c)
	useFastClock()
	armTick(c)
	startStep("start-up: Go runtime")
	return processStack(b)
}

// firstArea carves the boot CPU's area out of free memory.
func firstArea(b *info.Boot) *percpu {
	n := uint64(unsafe.Sizeof(percpu{}))
	pa, err := b.Carve(n, ^uint64(0))
	if err != nil {
		earlyPrint("tamarix: cannot start: no memory for the first CPU's area\n")
		for { // fatal needs that area
			halt()
		}
	}
	p := physPointer(pa)
	clear(unsafe.Slice((*uint64)(p), n/8))
	c := (*percpu)(p)
	c.self = uint64(uintptr(p))
	cpuTable[0] = uintptr(p)
	cpuCount = 1
	return c
}

// frameInit gives the allocator all free memory.
func frameInit(b *info.Boot) {
	testMemory(b)
	pa, top, err := b.CarveRecords(frameMetaSize)
	if err != nil {
		fatal("no memory for the frame table", top)
	}
	frameTableInit(physPointer(pa), top)
	for after := uint64(PageSize); ; {
		start, end, ok := b.NextFree(after)
		if !ok {
			break
		}
		frameAddRange(start, min(end, frameCount<<PageShift))
		after = end
	}
	framesTotal = b.UsableSize() >> PageShift
	framesKept = framesTotal - buddy.free
	setReserve()
}

// environment of the kernel's Go program. AVX is hidden from it: the kernel
// uses SSE only, so that a user's wider registers survive in the CPU.
var environment = [...]string{
	"GODEBUG=cpu.avx=off,cpu.avx2=off,cpu.avx512f=off,cpu.avx512bw=off,cpu.avx512vl=off,cpu.fma=off,cpu.erms=off,cpu.fsrm=off\x00",
	"GOTRACEBACK=all\x00",
}

var programName = "tamarix\x00"

// arguments holds the kernel command line, cut into words.
var arguments [4096]byte

// processStack builds what Linux gives a new process: argc, argv, the
// environment, the auxiliary vector.
func processStack(b *info.Boot) uint64 {
	const maxWords = 256
	top := newStack(mainStackSize)
	sp := top - 16 // room for AT_RANDOM
	random := sp
	*wordAt(random), *wordAt(random + 8) = seedWord(), seedWord()
	sp -= (maxWords + 32) * 8
	n := uint64(0)
	put := func(v uint64) {
		*wordAt(sp + n*8) = v
		n++
	}
	put(1) // argc, corrected below
	put(uint64(uintptr(unsafe.Pointer(unsafe.StringData(programName)))))
	argc := uint64(1)
	line := b.CommandLine()
	in := false
	for i, ch := range line[:min(len(line), len(arguments)-1)] {
		if ch <= ' ' {
			in = false
			continue
		}
		arguments[i] = ch
		if !in && argc < maxWords {
			in = true
			argc++
			put(uint64(uintptr(unsafe.Pointer(&arguments[i]))))
		}
	}
	*wordAt(sp) = argc
	put(0)
	for i := range environment {
		put(uint64(uintptr(unsafe.Pointer(unsafe.StringData(environment[i])))))
	}
	put(0)
	for _, v := range [...]uint64{6, PageSize, 25, random, 0, 0} { // AT_PAGESZ, AT_RANDOM, AT_NULL
		put(v)
	}
	return sp
}
