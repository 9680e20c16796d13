//go:build !tamarix

package amd64

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Host stand-ins: RAM is an arena from mmap, there is one CPU, and being
// pinned to it means holding a mutex.

var (
	hostArena unsafe.Pointer
	hostCPU   percpu
	hostPin   sync.Mutex
)

// percpu is what the portable code knows of a CPU.
type percpu struct{ frames frameCache }

// spinlock does nothing on the host: whoever would take one is pinned.
type spinlock struct{}

func lock(*spinlock)   {}
func unlock(*spinlock) {}

// peek reads a word that a spinlock guards; here, being pinned is the lock.
func peek(p *uint64) uint64 {
	s := pin()
	v := *p
	unpin(s)
	return v
}

func pin() uintptr           { hostPin.Lock(); return 0 }
func unpin(uintptr)          { hostPin.Unlock() }
func thisCPU() *percpu       { return &hostCPU }
func cpuByIndex(int) *percpu { return &hostCPU }

// InitHost gives the package an arena of so many bytes in place of RAM. Host
// builds only; tests call it once.
func InitHost(bytes int) {
	if hostArena != nil {
		return
	}
	bytes = (bytes + PageSize - 1) &^ (PageSize - 1)
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		panic(fmt.Sprint("arena: ", err))
	}
	hostArena = p
	top := uint64(bytes)
	n := (frameTableSize(top) + 2*PageSize - 1) &^ (PageSize - 1) // page 0 is no frame
	frameTableInit(unsafe.Add(p, PageSize), top)
	framesTotal = top >> PageShift
	framesKept = n >> PageShift
	if n < PageSize*2 {
		n = PageSize * 2
	}
	frameAddRange(n, top)
	framesKept = framesTotal - buddy.free
	setReserve()
	r, ok := AllocZeroFrame(UseKernel)
	if !ok {
		panic("arena too small")
	}
	kernelRoot = r
}

//go:nosplit
func physPointer(pa uint64) unsafe.Pointer { return unsafe.Add(hostArena, pa) }

//go:nosplit
func zeroPage(p unsafe.Pointer) { clear((*[512]uint64)(p)[:]) }
func copyPage(dst, src unsafe.Pointer) {
	*(*[512]uint64)(dst) = *(*[512]uint64)(src)
}

func fatal(msg string, v uint64) { panic(fmt.Sprintf("%s: %#x", msg, v)) }

// NumCPU returns the number of CPUs that run.
func NumCPU() int { return 1 }

func flushRange(root Frame, lo, hi uint64, lazy bool) { flushHost() }
func flushPages(root Frame, vas []uint64)             { flushHost() }
func flushLocalPage(va uint64)                        {}
func leaveRoot(root Frame)                            {}

// flushHost waits for the copies that are under way.
func flushHost() {
	hostCopy.Lock()
	shootdowns.Add(1)
	hostCopy.Unlock()
}

var shootdowns atomic.Uint64

// Shootdowns counts flushes that were asked of other CPUs.
func Shootdowns() uint64 { return shootdowns.Load() }
