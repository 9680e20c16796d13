//go:build tamarix

package mmio

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

// Region is a window on device registers. It is immutable.
type Region struct {
	base uintptr
	size uint32
}

// Map makes the registers at a physical address reachable. The window stays for
// ever. ENOMEM: no memory for page tables, or the CPU has no such address; EINVAL:
// no device can be there.
func Map(phys uint64, size uint32) (*Region, error) {
	if phys == 0 || phys&3 != 0 || size == 0 || phys>>52 != 0 {
		return nil, unix.EINVAL
	}
	base := arch.MapDevice(phys, uint64(size))
	if base == 0 {
		return nil, unix.ENOMEM
	}
	return &Region{base: base, size: size &^ 3}, nil
}

// Size implements [Registers].
func (r *Region) Size() uint32 { return r.size }

// Read32 implements [Registers].
func (r *Region) Read32(off uint32) uint32 {
	if off&3 != 0 || off >= r.size {
		return 0xffff_ffff
	}
	return atomic.LoadUint32((*uint32)(unsafe.Pointer(r.base + uintptr(off))))
}

// Write32 implements [Registers]. It is a plain store: uncached memory needs no
// locked exchange, and some devices do not take one.
func (r *Region) Write32(off, v uint32) {
	if off&3 != 0 || off >= r.size {
		return
	}
	*(*uint32)(unsafe.Pointer(r.base + uintptr(off))) = v
}
