package dma

import (
	"sync/atomic"
	"unsafe"
)

// PageSize is the alignment of all memory of this package, and what its size is
// rounded up to.
const PageSize = 4096

// MaxSize is the most that one allocation can have.
const MaxSize = 4 << 20

// Allocator makes memory for devices.
type Allocator interface {
	// Alloc returns zeroed memory of at least size bytes, a power of two of
	// pages, aligned to its size. All of it lies below limit, unless that is
	// 0. ENOMEM: there is none; EINVAL: more than MaxSize.
	Alloc(size int, limit uint64) (*Memory, error)
}

// Below4G is the limit for devices with addresses of 32 bits.
const Below4G = 1 << 32

// Memory is memory that a device may use. Offsets outside of it panic, as a
// slice's do: they are the driver's own mistakes. Words are little-endian.
type Memory struct {
	phys  uint64
	words []uint64 // immutable slice; the words are shared with the device
	free  func()
}

// Phys returns the physical address of the byte at an offset.
func (m *Memory) Phys(off int) uint64 {
	if off < 0 || off > m.Size() {
		panic("dma: offset out of range")
	}
	return m.phys + uint64(off)
}

// Size returns how many bytes there are.
func (m *Memory) Size() int { return len(m.words) * 8 }

// Free gives the memory back. The device must not know of it any more.
func (m *Memory) Free() {
	if m != nil && m.free != nil {
		m.free()
		m.free, m.words = nil, nil
	}
}

func (m *Memory) word32(off int) *uint32 {
	if off&3 != 0 {
		panic("dma: unaligned word")
	}
	return (*uint32)(unsafe.Pointer(&m.Bytes()[off : off+4][0]))
}

// Load32 reads a word at an offset that is a multiple of 4. What the device wrote
// before it wrote this word is seen by reads that follow.
func (m *Memory) Load32(off int) uint32 { return atomic.LoadUint32(m.word32(off)) }

// Store32 writes a word. The device sees it after all that was written before.
func (m *Memory) Store32(off int, v uint32) { atomic.StoreUint32(m.word32(off), v) }

// Load64 reads a word at an offset that is a multiple of 8.
func (m *Memory) Load64(off int) uint64 { return atomic.LoadUint64(&m.words[off/8]) }

// Store64 writes a word at an offset that is a multiple of 8.
func (m *Memory) Store64(off int, v uint64) { atomic.StoreUint64(&m.words[off/8], v) }

// Bytes returns all of the memory. It is for data that the device does not touch
// meanwhile.
func (m *Memory) Bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(m.words))), m.Size())
}

// Zero clears n bytes from an offset on.
func (m *Memory) Zero(off, n int) { clear(m.Bytes()[off : off+n]) }

// order returns the number of pages for size bytes, as a power of two; -1 if
// that is too much.
func order(size int) int {
	if size <= 0 || size > MaxSize {
		return -1
	}
	n := 0
	for PageSize<<n < size {
		n++
	}
	return n
}
