//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"
)

// MaxCPUs is how many CPUs can be started.
const MaxCPUs = 256

// percpu is a CPU's own area; GS points to it in ring 0. It is memory from the
// frame allocator, free of Go pointers: addresses are uint64. Fields are
// touched by their CPU only, with interrupts off, unless said otherwise. The
// assembly code knows the fields by name (go_asm.h).
type percpu struct {
	self      uint64 // address of this
	current   uint64 // *kthread that runs, or the idle thread
	stack     uint64 // top of the handler stack
	user      uint64 // *UserContext whose root and state are loaded; others read it (Kick)
	owner     uint64 // *UserContext whose extended state is in the registers
	root      uint64 // what CR3 holds; others read it (flushes)
	scratch   uint64
	fakeG     uint64 // a g for handlers: no stack bound
	fakeFS    uint64 // thread pointer of the handlers; fakeG lies at -8
	depth     uint32 // handlers on the stack: 0 or 1; a fault in one makes 2
	xsaveTemp uint64 // 512 bytes for FXSAVE

	clockCX, clockDX uint64 // the user's, during clockCall

	idle    uint64 // the idle thread
	index   uint32
	apicID  uint32
	online  uint32 // cpu* (smp.go); atomic
	preempt uint32 // give the CPU to another thread at the handler's end

	// Requests of other CPUs: bits of request*, set by anyone, taken by the CPU.
	requests uint32
	// flush: what to forget. Guarded by flushLock. flushWanted grows with each
	// request; flushDone follows when it has been carried out (atomic).
	flushLock              spinlock
	flushLow, flushHigh    uint64
	flushWanted, flushDone uint64
	idling                 uint32 // idle* (idle.go); atomic

	// Accounting. times are written by this CPU, read by anyone (atomic).
	lastStamp  int64 // when the time was last charged
	undecided  int64 // busy time not yet known to be ring 3 or kernel
	userTime   int64
	systemTime int64
	idleTime   int64
	tickAt     int64 // when the LAPIC timer fires, or sooner for sampleAt; 0: not armed

	// The profiler (profile.go).
	sampleAt   int64  // when the next sample is due; 0: it is off
	sampleSeed uint64 // of the random part of the period
	ring       uint64 // address of the samples; 0: none yet
	ringHead   uint64 // words written so far; others read it (atomic)
	ringTail   uint64 // words read so far; the reader's (atomic)
	ringLost   uint64 // samples that found no room (atomic)

	frames frameCache

	counts [256]uint32 // interrupts by vector

	gdt  [10]uint64
	tss  [104]byte
	fake [1024]byte // the g
	tls  [64]byte
}

// cpuTable holds the addresses of the percpu areas, by index. Entries are set
// once, before cpuCount grows past them.
var (
	cpuTable [MaxCPUs]uintptr
	cpuCount uint32 // atomic
)

// NumCPU returns the number of CPUs that run.
//
//go:nosplit
func NumCPU() int { return int(atomic.LoadUint32(&cpuCount)) }

//go:nosplit
func cpuByIndex(i int) *percpu { return (*percpu)(unsafe.Pointer(cpuTable[i])) }

//go:nosplit
func (c *percpu) thread() *kthread { return (*kthread)(unsafe.Pointer(uintptr(c.current))) }

// spinlock is a lock that trap context may take. It is held with interrupts
// off, for a short time, by code that neither blocks nor faults on user memory.
type spinlock struct{ v uint32 }

// lock takes l. Who waits serves the requests of other CPUs meanwhile, because
// the holder may be waiting for just that.
//
//go:nosplit
func lock(l *spinlock) {
	for !atomic.CompareAndSwapUint32(&l.v, 0, 1) {
		for atomic.LoadUint32(&l.v) != 0 {
			serveRequestsNoSplit(thisCPU())
			pause()
		}
	}
}

//go:nosplit
func unlock(l *spinlock) { atomic.StoreUint32(&l.v, 0) }

// peek reads a word that a spinlock guards, without the lock.
//
//go:nosplit
func peek(p *uint64) uint64 { return atomic.LoadUint64(p) }

//go:nosplit
func physPointer(pa uint64) unsafe.Pointer {
	return unsafe.Pointer(uintptr(directMapBase + pa))
}

//go:nosplit
func frameOf(p unsafe.Pointer) Frame {
	return Frame(uint64(uintptr(p)) - directMapBase)
}
