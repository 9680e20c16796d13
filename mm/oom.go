package mm

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	arch "tamarix/arch/amd64"
)

// OutOfMemory is called when no frame is left and nothing can be reclaimed.
// proc sets it once, at start: it kills the process that gains most, says so
// in the log, gives it a moment to go, and returns true; false if there is
// nobody to kill. as is the address space that the caller needs the memory for,
// or nil; when the victim is its own process, the caller must not be made to
// wait for the end that it stands in the way of. need says what the memory was
// for. It is called without any lock of mm held.
var OutOfMemory func(as *AddressSpace, need string) bool

// Admit reports whether a system call that makes the kernel's own heap grow
// may go on: whether enough of the frames kept for the kernel is there. If not,
// the kernel's heap and the page cache give back what they can and, as for a
// fault, a process is killed; then, if that was not enough, the caller refuses
// with ENOMEM or its like: the kernel must never run out of memory because of
// what users do. It costs next to nothing while there is memory; otherwise it
// may sleep for a second or two. No lock of mm may be held.
func Admit() bool { return arch.KernelRoom() || makeRoomForKernel(nil) }

// admit is Admit for a call that works on as.
func (as *AddressSpace) admit() bool { return arch.KernelRoom() || makeRoomForKernel(as) }

func makeRoomForKernel(as *AddressSpace) bool {
	DropCaches()
	for try := 0; try < 2 && !arch.KernelRoom(); try++ {
		if !outOfMemory(as, "the kernel") {
			break
		}
	}
	return arch.KernelRoom()
}

// HaveMemory reports whether a page for a user can be had after all: for
// OutOfMemory, when callers have waited for each other.
func HaveMemory() bool {
	if !arch.KernelRoom() {
		return false
	}
	f, ok := arch.AllocFrame(arch.UseAnon)
	if ok {
		f.Unref()
	}
	return ok
}

var oomKills atomic.Uint64

// paged is the list of Objects whose clean pages can be read again.
var paged struct {
	mu    sync.Mutex // guards first and the links; above Object.mu
	first *Object
}

var reclaimed atomic.Uint64

func registerPaged(o *Object) {
	paged.mu.Lock()
	o.nextPaged = paged.first
	if paged.first != nil {
		paged.first.prevPaged = o
	}
	paged.first = o
	paged.mu.Unlock()
}

func unregisterPaged(o *Object) {
	paged.mu.Lock()
	if o.prevPaged != nil {
		o.prevPaged.nextPaged = o.nextPaged
	} else {
		paged.first = o.nextPaged
	}
	if o.nextPaged != nil {
		o.nextPaged.prevPaged = o.prevPaged
	}
	paged.mu.Unlock()
}

// maxReclaims bounds how often one allocation goes back to reclaim.
const maxReclaims = 16

// reclaim drops clean pages of the page cache that nobody maps and that can
// be read again, and reports whether it is worth trying the allocation again.
// *try counts the attempts. It may be called with AddressSpace.mu held, not
// with Object.mu.
func reclaim(try *int) bool {
	if *try++; *try > maxReclaims {
		return false
	}
	if dropCache(reclaimBatch) > 0 {
		return true
	}
	if *try == 1 {
		// Frames may be on their way: another task may be giving some back.
		runtime.Gosched()
		return true
	}
	return false
}

const reclaimBatch = 256

// dropCache frees up to max pages of the page cache and returns how many.
func dropCache(max int) int {
	n := 0
	paged.mu.Lock()
	for o := paged.first; o != nil && n < max; o = o.nextPaged {
		n += o.shrink(max - n)
	}
	paged.mu.Unlock()
	reclaimed.Add(uint64(n))
	return n
}

// DropCaches frees all of the page cache that can be read again
// (/proc/sys/vm/drop_caches).
func DropCaches() {
	for dropCache(1<<20) > 0 {
	}
}

// shrink frees up to max clean, unmapped pages. A page whose only reference is
// the index's cannot gain another while mu is held.
func (o *Object) shrink(max int) int {
	n := 0
	o.mu.Lock()
	defer o.mu.Unlock()
	idle := func(f arch.Frame) bool {
		return f != 0 && f.Refs() == 1 && f.Flags()&frameDirty == 0
	}
	for i, f := range o.small {
		if n < max && idle(f) {
			o.drop(uint64(i)).Unref()
			n++
		}
	}
	for k, c := range o.chunks.all() {
		for i, f := range c.frames {
			if n < max && idle(f) {
				o.drop(k*chunkPages + uint64(i)).Unref()
				n++
			}
		}
		if n >= max {
			break
		}
	}
	if o.reserve != nil && n > 0 {
		o.reserve(-int64(n))
	}
	return n
}

// squeezeWorth is how many pages the Go runtime must have given back for its
// collection to count as a success. Less, and the next caller would only be
// here again at once.
const squeezeWorth = 256

// squeezing makes callers that are out of memory take turns at squeeze.
var squeezing sync.Mutex // outermost: callers hold no lock of mm

// squeeze gives back what the kernel's heap holds without need, and reports
// whether that helps.
func squeeze() bool {
	squeezing.Lock()
	defer squeezing.Unlock()
	if HaveMemory() {
		return true // an earlier caller's doing
	}
	before := arch.ReadFrameStats().Free
	debug.FreeOSMemory()
	return arch.ReadFrameStats().Free >= before+squeezeWorth && HaveMemory()
}

// outOfMemory has the kernel's own heap give memory back and, if that does not
// help, asks for a kill.
func outOfMemory(as *AddressSpace, need string) bool {
	if squeeze() {
		return true
	}
	if OutOfMemory == nil || !OutOfMemory(as, need) {
		return false
	}
	oomKills.Add(1)
	return true
}

// maxKills bounds how many kills one kernel operation waits for.
const maxKills = 4

// makeRoom is for kernel operations that need a frame and hold no lock: it
// reclaims, then asks for a kill, and reports whether to try again. try counts
// the attempts from 0.
func makeRoom(need string, try int) bool {
	n := try
	if reclaim(&n) {
		return true
	}
	return try < maxReclaims+maxKills && outOfMemory(nil, need)
}

var zero struct {
	once sync.Once
	page arch.Frame
}

// zeroPage returns the common page of zeros. It is made with the first
// address space and never freed.
func zeroPage() arch.Frame { return zero.page }

func makeZeroPage() bool {
	zero.once.Do(func() {
		if f, ok := arch.AllocZeroFrame(arch.UseReserved); ok {
			zero.page = f
		}
	})
	return zero.page != 0
}
