package mm

import (
	"sync"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// MmapRequest is a call of mmap(2) with the file already looked up.
type MmapRequest struct {
	Addr, Len uint64
	Prot      int // unix.PROT_*
	Flags     int // unix.MAP_*

	// Object is what to map; nil for anonymous memory. Offset is in bytes.
	Object *Object
	Offset uint64
	// Backing is the open file, for /proc/PID/maps and to keep it open; may be nil.
	Backing Backing
	// FileErr is what the file says to this mapping (EACCES, EPERM, ENODEV),
	// to be reported in its turn among the other errors.
	FileErr error
	// MaxProt is what mprotect may later allow; 0 means everything.
	MaxProt int
	// Caller, if not nil, can end the populating of a large mapping.
	Caller Caller
	// Name shows in /proc/PID/maps for memory without a file: "[vdso]".
	Name string
}

const mapLegacy = unix.MAP_SHARED | unix.MAP_PRIVATE | unix.MAP_FIXED | unix.MAP_ANONYMOUS |
	unix.MAP_DENYWRITE | unix.MAP_EXECUTABLE | unix.MAP_GROWSDOWN | unix.MAP_LOCKED |
	unix.MAP_NORESERVE | unix.MAP_POPULATE | unix.MAP_NONBLOCK | unix.MAP_STACK |
	unix.MAP_HUGETLB | unix.MAP_32BIT

// protBits are the protections that mmap and mprotect know; others are
// ignored by mmap, as Linux does, and refused by mprotect.
const protBits = unix.PROT_READ | unix.PROT_WRITE | unix.PROT_EXEC

// Mmap maps memory as mmap(2) does and returns its address. Errors come in
// Linux's order: EINVAL (offset, empty), ENOMEM (too long), EOVERFLOW, ENOMEM
// (too many VMAs), EINVAL or ENOMEM (fixed address), EEXIST, EAGAIN (locked
// memory), EINVAL (type), the file's, ENOMEM (limits, overcommit).
func (as *AddressSpace) Mmap(req MmapRequest) (uint64, error) {
	if !aligned(req.Offset) {
		return 0, unix.EINVAL
	}
	if req.Len == 0 {
		return 0, unix.EINVAL
	}
	n := pageUp(req.Len)
	if n == 0 {
		return 0, unix.ENOMEM
	}
	if req.Offset>>arch.PageShift+n>>arch.PageShift > 1<<52 || req.Offset+n < req.Offset {
		return 0, unix.EOVERFLOW
	}
	req.Len = n

	as.admit() // what it comes to is looked at again under the lock
	as.mu.Lock()
	addr, v, dead, err := as.mapLocked(&req)
	locked := v != nil && v.is(vmLocked) && !v.is(vmLockFault)
	as.mu.Unlock()
	release(dead)
	if err != nil {
		return 0, err
	}
	if locked || req.Flags&(unix.MAP_POPULATE|unix.MAP_NONBLOCK) == unix.MAP_POPULATE {
		as.populate(addr, addr+n, req.Caller)
	}
	return addr, nil
}

// mapLocked does the work of Mmap; it also returns what to release afterwards.
// Precondition: mu held in write mode.
func (as *AddressSpace) mapLocked(req *MmapRequest) (addr uint64, v, dead *vma, err error) {
	if as.vmas.n > MaxMapCount || !arch.KernelRoom() {
		return 0, nil, nil, unix.ENOMEM
	}
	fixed := req.Flags&(unix.MAP_FIXED|unix.MAP_FIXED_NOREPLACE) != 0
	addr, err = as.findArea(req.Addr, req.Len, req.Flags, fixed)
	if err != nil {
		return 0, nil, nil, err
	}
	if req.Flags&unix.MAP_FIXED_NOREPLACE != 0 && as.vmas.intersects(addr, addr+req.Len) {
		return 0, nil, nil, unix.EEXIST
	}
	pages := req.Len >> arch.PageShift
	flags := as.lockNew
	if req.Flags&unix.MAP_LOCKED != 0 {
		flags |= vmLocked
	}
	if flags&vmLocked != 0 {
		if as.limitMemlock.Load() == 0 {
			return 0, nil, nil, unix.EPERM
		}
		if !as.mayLock(pages) {
			return 0, nil, nil, unix.EAGAIN
		}
	}
	f, err := typeFlags(req)
	if err != nil {
		return 0, nil, nil, err
	}
	flags |= f
	if req.Flags&unix.MAP_HUGETLB != 0 {
		return 0, nil, nil, unix.ENOMEM // no huge pages are reserved
	}

	v = as.newVMA()
	v.start, v.end, v.flags = addr, addr+req.Len, flags
	v.maxProt, v.obj, v.backing, v.name = uint8(protBits), req.Object, req.Backing, req.Name
	if req.MaxProt != 0 {
		v.maxProt = uint8(req.MaxProt & protBits)
	}
	v.setProt(uint8(req.Prot & protBits))
	if req.Object != nil {
		v.pgoff = req.Offset >> arch.PageShift
	}

	// Pages that the new mapping replaces do not count twice.
	grow := pages
	if fixed {
		grow -= min(grow, as.pagesIn(addr, addr+req.Len))
	}
	if !as.mayExpand(grow, v.isData()) {
		return 0, nil, nil, unix.ENOMEM
	}
	if v.isData() && !v.is(vmNoReserve) && !mayCommit(pages) {
		return 0, nil, nil, unix.ENOMEM
	}
	if fixed {
		if dead, err = as.unmapLocked(addr, addr+req.Len, nil); err != nil {
			return 0, nil, dead, err
		}
	}
	if req.Object == nil && v.is(vmShared) {
		v.obj = NewSharedMemory(int64(req.Len))
	}
	fresh := v.obj
	v, dead = as.addPages(v, dead)
	if req.Object == nil && fresh != nil {
		fresh.Unref() // the VMA's is the only reference
	}
	return addr, v, dead, nil
}

// typeFlags checks the mapping's type and returns the VMA flags it stands for.
func typeFlags(req *MmapRequest) (vmaFlags, error) {
	var f vmaFlags
	file := req.Object != nil || req.FileErr != nil
	switch req.Flags & unix.MAP_TYPE {
	case unix.MAP_SHARED_VALIDATE:
		if !file {
			return 0, unix.EINVAL
		}
		if req.Flags&^(mapLegacy|unix.MAP_FIXED_NOREPLACE) != 0 {
			return 0, unix.EOPNOTSUPP
		}
		f = vmShared
	case unix.MAP_SHARED:
		f = vmShared
	case unix.MAP_PRIVATE:
	default:
		return 0, unix.EINVAL
	}
	if req.FileErr != nil {
		return 0, req.FileErr
	}
	if req.Flags&unix.MAP_GROWSDOWN != 0 {
		if file || f&vmShared != 0 {
			return 0, unix.EINVAL
		}
		f |= vmGrowsDown
	}
	if req.Flags&unix.MAP_NORESERVE != 0 {
		f |= vmNoReserve
	}
	return f, nil
}

// findArea returns the address for n bytes: the one asked for if it must be,
// or if it is free; otherwise the highest free one below the mmap base.
// Precondition: mu held.
func (as *AddressSpace) findArea(hint, n uint64, flags int, fixed bool) (uint64, error) {
	if n > arch.UserTop {
		return 0, unix.ENOMEM
	}
	if fixed {
		if hint > arch.UserTop-n {
			return 0, unix.ENOMEM
		}
		if !aligned(hint) {
			return 0, unix.EINVAL
		}
		if hint < minAddr {
			return 0, unix.EPERM
		}
		return hint, nil
	}
	lo, hi := uint64(mmapMinAddr), as.layout.MmapBase
	if flags&unix.MAP_32BIT != 0 {
		lo, hi = 1<<30, 1<<31 // the second gigabyte, mmap(2)
	} else if hint != 0 {
		hint = max(pageUp(hint), mmapMinAddr)
		if hint <= arch.UserTop-n && as.freeWithGuard(hint, n) {
			return hint, nil
		}
	}
	if addr, ok := as.vmas.findGap(n, lo, hi, guardBelow); ok {
		return addr, nil
	}
	if flags&unix.MAP_32BIT == 0 {
		// No room below the base: try everywhere, from the bottom of the
		// mmap area up (arch_get_unmapped_area_topdown's fallback).
		if addr, ok := as.vmas.findGapUp(n, arch.UserTop/3&^(arch.PageSize-1), arch.UserTop, guardBelow); ok {
			return addr, nil
		}
	}
	return 0, unix.ENOMEM
}

// mmapMinAddr is the lowest address mmap chooses itself (vm.mmap_min_addr).
const mmapMinAddr = 64 << 10

// guardBelow is how much must stay free below v.
func guardBelow(v *vma) uint64 {
	if v.isStack() {
		return stackGuardGap
	}
	return 0
}

// freeWithGuard reports whether n bytes at addr are free and keep their
// distance from a stack above.
func (as *AddressSpace) freeWithGuard(addr, n uint64) bool {
	v := as.vmas.find(addr)
	return v == nil || v.start >= addr+n && v.start-(addr+n) >= guardBelow(v)
}

// pagesIn counts the mapped pages in [lo, hi). Precondition: mu held.
func (as *AddressSpace) pagesIn(lo, hi uint64) uint64 {
	n := uint64(0)
	for v := as.vmas.find(lo); v != nil && v.start < hi; v = v.next {
		n += (min(v.end, hi) - max(v.start, lo)) >> arch.PageShift
	}
	return n
}

// mayExpand reports whether n more pages keep within RLIMIT_AS and, for data,
// RLIMIT_DATA. Precondition: mu held in write mode.
func (as *AddressSpace) mayExpand(n uint64, data bool) bool {
	if as.totalVM+n > as.limitAS.Load()>>arch.PageShift {
		return false
	}
	return !data || as.dataVM+n <= as.limitData.Load()>>arch.PageShift
}

// mayLock reports whether n more locked pages keep within RLIMIT_MEMLOCK.
// Precondition: mu held in write mode.
func (as *AddressSpace) mayLock(n uint64) bool {
	limit := as.limitMemlock.Load()
	return limit == ^uint64(0) || as.lockedVM+n <= limit>>arch.PageShift
}

// mayCommit is the heuristic of vm.overcommit_memory 0: a single request for
// more than all memory there is gets refused, nothing else.
func mayCommit(pages uint64) bool {
	return pages <= totalPages()
}

// populate faults the pages of [lo, hi) in as a write or read would, as far as
// it goes: errors are not reported (mmap(2), MAP_POPULATE; mlock(2) does its
// own checking). EINTR if the caller is killed meanwhile. Precondition: mu not
// held.
func (as *AddressSpace) populate(lo, hi uint64, caller Caller) error {
	for va := lo; va < hi; {
		as.mu.RLock()
		v := as.vmas.find(va)
		if v == nil || v.start >= hi {
			as.mu.RUnlock()
			if v == nil || va < hi {
				return unix.ENOMEM
			}
			return nil
		}
		if va < v.start {
			as.mu.RUnlock()
			return unix.ENOMEM
		}
		end := min(v.end, hi)
		acc := arch.Access(0)
		if v.prot&unix.PROT_WRITE != 0 && !v.is(vmShared) {
			acc = arch.AccessWrite
		}
		hidden := v.prot == 0
		as.mu.RUnlock()
		if hidden {
			va = end
			continue
		}
		for ; va < end; va += arch.PageSize {
			if va>>arch.PageShift&63 == 0 && killed(caller) {
				return unix.EINTR
			}
			if as.present(va, acc) {
				continue
			}
			switch as.fault(va, acc, nil) {
			case faultDone:
			case faultNoMemory:
				outOfMemory(as, "locked or populated page")
				return unix.EAGAIN
			default:
				return unix.ENOMEM
			}
		}
	}
	return nil
}

// Caller is the task on whose behalf an operation runs that may take long. It
// is asked now and then whether a fatal signal is pending.
type Caller interface{ Killed() bool }

func killed(c Caller) bool { return c != nil && c.Killed() }

// present reports whether va can be accessed without a fault.
func (as *AddressSpace) present(va uint64, acc arch.Access) bool {
	as.mu.RLock()
	defer as.mu.RUnlock()
	p, state := as.pt.Leaf(va)
	if p == nil {
		return false
	}
	e := arch.LoadPTE(p)
	return e.Present() && (acc&arch.AccessWrite == 0 || e.Writable() && state == arch.LeafOwned)
}

// totalPages is the number of pages of RAM, which does not change.
var totalPages = sync.OnceValue(func() uint64 { return arch.ReadFrameStats().Total })
