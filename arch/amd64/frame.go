package amd64

import (
	"sync/atomic"
	"unsafe"
)

// Frame is the physical address of a page of RAM; 0 is none.
type Frame uint64

// FrameUse says what a frame is used for.
type FrameUse uint8

const (
	UseFree      FrameUse = iota // in the allocator
	UseReserved                  // firmware, kernel image, boot modules, or not RAM
	UseKernel                    // the Go runtime's heap, contexts, per-CPU data
	UsePageTable                 // page tables of user address spaces
	UseAnon                      // anonymous user memory
	UseCache                     // the page cache
	numUses
)

// frameMeta is the allocator's record of one frame. There is one for each
// page from physical address 0 to the end of RAM.
type frameMeta struct {
	refs atomic.Int32
	// word: flags in bits 0 to 7 (mm's), use in 8 to 15, order of the free
	// block that begins here in 16 to 23, metaHead if one does.
	word atomic.Uint32
}

// frameMetaSize is the size in bytes of a record.
const frameMetaSize = uint64(unsafe.Sizeof(frameMeta{}))

const (
	metaUseShift   = 8
	metaOrderShift = 16
	metaHead       = 1 << 24
	metaUseMask    = 0xff << metaUseShift
)

// frames: the metadata array. Immutable after frameInit.
var (
	frameTable  unsafe.Pointer // *[frameCount]frameMeta; not Go memory
	frameCount  uint64
	framesTotal uint64 // pages of RAM that boot information calls usable
	framesKept  uint64 // of these, how many the allocator was never given; atomic
)

// meta returns the record of f, which must be RAM.
//
//go:nosplit
func (f Frame) meta() *frameMeta {
	return (*frameMeta)(unsafe.Add(frameTable, uintptr(f>>PageShift)*unsafe.Sizeof(frameMeta{})))
}

// Valid reports whether f has a record: whether it lies below the end of RAM.
func (f Frame) Valid() bool { return f != 0 && uint64(f>>PageShift) < frameCount }

// Page returns the page's bytes, through the direct map.
//
//go:nosplit
func (f Frame) Page() *[PageSize]byte { return (*[PageSize]byte)(physPointer(uint64(f))) }

// Words returns the page as 64-bit words, through the direct map.
//
//go:nosplit
func (f Frame) Words() *[512]uint64 { return (*[512]uint64)(physPointer(uint64(f))) }

// Ref takes one more reference.
//
//go:nosplit
func (f Frame) Ref() { f.meta().refs.Add(1) }

// Refs returns the number of references. It is exact only for a caller who
// keeps others from changing it.
//
//go:nosplit
func (f Frame) Refs() int32 { return f.meta().refs.Load() }

// Unref drops a reference. The last one frees the frame.
//
//go:nosplit
func (f Frame) Unref() (freed bool) {
	n := f.meta().refs.Add(-1)
	return n <= 0 && f.unrefLast(n)
}

// unrefLast is the slow part of Unref: n references are left.
//
//go:nosplit
func (f Frame) unrefLast(n int32) bool {
	if n < 0 {
		fatal("frame freed twice", uint64(f))
	}
	freeFrame(f, f.meta())
	return true
}

// Use returns what the frame is used for.
//
//go:nosplit
func (f Frame) Use() FrameUse { return FrameUse(f.meta().word.Load() >> metaUseShift) }

// SetUse changes what an allocated frame counts as.
func (f Frame) SetUse(u FrameUse) {
	m := f.meta()
	for {
		w := m.word.Load()
		old := FrameUse(w >> metaUseShift)
		if m.word.CompareAndSwap(w, w&^metaUseMask|uint32(u)<<metaUseShift) {
			s := pin()
			c := thisCPU()
			c.frames.used[old]--
			c.frames.used[u]++
			unpin(s)
			return
		}
	}
}

// Flags returns the eight bits that belong to the frame's owner. They are
// clear in a frame just allocated.
func (f Frame) Flags() uint8 { return uint8(f.meta().word.Load()) }

// SetFlag sets bits and returns what the flags were.
func (f Frame) SetFlag(bits uint8) (old uint8) { return uint8(f.meta().word.Or(uint32(bits))) }

// ClearFlag clears bits and returns what the flags were.
func (f Frame) ClearFlag(bits uint8) (old uint8) {
	return uint8(f.meta().word.And(^uint32(bits)))
}

// CopyPage copies a whole page.
func CopyPage(dst, src Frame) {
	copyPage(physPointer(uint64(dst)), physPointer(uint64(src)))
}

// ZeroPage clears a whole page.
//
//go:nosplit
func ZeroPage(f Frame) { zeroPage(physPointer(uint64(f))) }

// FrameStats counts pages by use.
type FrameStats struct{ Total, Free, Reserved, Kernel, PageTable, Anon, Cache uint64 }

// ReadFrameStats sums the CPUs' counters. The sums are exact when nobody
// allocates meanwhile.
func ReadFrameStats() FrameStats {
	var used [numUses]int64
	pinned := pin() // on the host this is the lock of the counters
	for i := range NumCPU() {
		c := cpuByIndex(i)
		for u := range used {
			used[u] += atomic.LoadInt64(&c.frames.used[u])
		}
	}
	unpin(pinned)
	s := FrameStats{
		Total:     framesTotal,
		Reserved:  atomic.LoadUint64(&framesKept) + uint64(used[UseReserved]),
		Kernel:    uint64(used[UseKernel]),
		PageTable: uint64(used[UsePageTable]),
		Anon:      uint64(used[UseAnon]),
		Cache:     uint64(used[UseCache]),
	}
	s.Free = s.Total - s.Reserved - s.Kernel - s.PageTable - s.Anon - s.Cache
	return s
}
