package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Madvise applies advice to [addr, addr+n) (madvise(2)). Holes are skipped and
// reported as ENOMEM at the end. MADV_DONTNEED and MADV_FREE free the pages at
// once. caller may be nil.
func (as *AddressSpace) Madvise(addr, n uint64, advice int, caller Caller) error {
	if !knownAdvice(advice) || !aligned(addr) {
		return unix.EINVAL
	}
	size := pageUp(n)
	if n != 0 && size == 0 || addr+size < addr {
		return unix.EINVAL
	}
	if size == 0 {
		return nil
	}
	lo, hi := addr, addr+size
	switch advice {
	case unix.MADV_POPULATE_READ, unix.MADV_POPULATE_WRITE:
		return as.madvisePopulate(lo, hi, advice == unix.MADV_POPULATE_WRITE, caller)
	case unix.MADV_REMOVE:
		return as.madviseRemove(lo, hi)
	}
	as.admit()
	as.mu.Lock()
	dead, err := as.adviseLocked(lo, hi, advice)
	as.mu.Unlock()
	release(dead)
	return err
}

func knownAdvice(advice int) bool {
	switch advice {
	case unix.MADV_NORMAL, unix.MADV_RANDOM, unix.MADV_SEQUENTIAL, unix.MADV_WILLNEED,
		unix.MADV_DONTNEED, unix.MADV_FREE, unix.MADV_REMOVE,
		unix.MADV_DONTFORK, unix.MADV_DOFORK, unix.MADV_WIPEONFORK, unix.MADV_KEEPONFORK,
		unix.MADV_DONTDUMP, unix.MADV_DODUMP, unix.MADV_MERGEABLE, unix.MADV_UNMERGEABLE,
		unix.MADV_HUGEPAGE, unix.MADV_NOHUGEPAGE, unix.MADV_COLD, unix.MADV_PAGEOUT,
		unix.MADV_POPULATE_READ, unix.MADV_POPULATE_WRITE, unix.MADV_DONTNEED_LOCKED:
		return true
	}
	return false
}

// adviseLocked walks the VMAs. Precondition: mu held in write mode.
func (as *AddressSpace) adviseLocked(lo, hi uint64, advice int) (dead *vma, err error) {
	g := gather{as: as}
	defer g.done()
	var hole error
	for at := lo; at < hi; {
		v := as.vmas.find(at)
		if v == nil || v.start >= hi {
			return dead, unix.ENOMEM
		}
		if v.start > at {
			hole = unix.ENOMEM
			at = v.start
		}
		end := min(v.end, hi)
		anon := v.obj == nil
		flags := v.flags
		switch advice {
		case unix.MADV_DONTNEED, unix.MADV_DONTNEED_LOCKED:
			if v.is(vmLocked) && advice == unix.MADV_DONTNEED {
				return dead, unix.EINVAL
			}
			as.zap(&g, v, at, end)
		case unix.MADV_FREE:
			if !anon {
				return dead, unix.EINVAL
			}
			as.zap(&g, v, at, end)
		case unix.MADV_COLD, unix.MADV_PAGEOUT:
			if v.is(vmLocked) {
				return dead, unix.EINVAL
			}
		case unix.MADV_NORMAL:
			flags &^= vmSeqRead | vmRandRead
		case unix.MADV_SEQUENTIAL:
			flags = flags&^vmRandRead | vmSeqRead
		case unix.MADV_RANDOM:
			flags = flags&^vmSeqRead | vmRandRead
		case unix.MADV_DONTFORK:
			flags |= vmDontFork
		case unix.MADV_DOFORK:
			flags &^= vmDontFork
		case unix.MADV_WIPEONFORK:
			if !anon || v.is(vmShared) {
				return dead, unix.EINVAL
			}
			flags |= vmWipeOnFork
		case unix.MADV_KEEPONFORK:
			flags &^= vmWipeOnFork
		case unix.MADV_DONTDUMP:
			flags |= vmDontDump
		case unix.MADV_DODUMP:
			flags &^= vmDontDump
		case unix.MADV_MERGEABLE:
			flags |= vmMergeable
		case unix.MADV_UNMERGEABLE:
			flags &^= vmMergeable
		case unix.MADV_HUGEPAGE:
			flags = flags&^vmNoHugePage | vmHugePage
		case unix.MADV_NOHUGEPAGE:
			flags = flags&^vmHugePage | vmNoHugePage
		}
		if flags != v.flags {
			if dead, err = as.setFlags(v, at, end, flags, dead); err != nil {
				return dead, err
			}
		}
		at = end
	}
	return dead, hole
}

// setFlags gives the part [lo, hi) of v other flags. Precondition: mu held in
// write mode.
func (as *AddressSpace) setFlags(v *vma, lo, hi uint64, flags vmaFlags, dead *vma) (*vma, error) {
	if !as.maySplit(v, lo, hi) {
		return dead, unix.ENOMEM
	}
	v = as.isolate(v, lo, hi)
	as.account(v, -int64(v.pages()))
	v.flags = flags
	as.account(v, int64(v.pages()))
	_, dead = as.merge(v, dead)
	return dead, nil
}

// madvisePopulate faults pages in and, unlike MAP_POPULATE, says what went
// wrong: EFAULT where the access is not allowed, ENOMEM for holes.
func (as *AddressSpace) madvisePopulate(lo, hi uint64, write bool, caller Caller) error {
	acc := arch.Access(0)
	if write {
		acc = arch.AccessWrite
	}
	for va := lo; va < hi; va += arch.PageSize {
		if va>>arch.PageShift&63 == 0 && killed(caller) {
			return unix.EINTR
		}
		if as.present(va, acc) {
			continue
		}
		switch as.fault(va, acc, nil) {
		case faultDone:
		case faultNotMapped:
			return unix.ENOMEM
		case faultNoAccess:
			return unix.EINVAL
		case faultNoMemory:
			outOfMemory(as, "populated page")
			return unix.ENOMEM
		default:
			return unix.EFAULT
		}
	}
	return nil
}

// madviseRemove punches holes into the Objects behind shared mappings.
func (as *AddressSpace) madviseRemove(lo, hi uint64) error {
	for at := lo; at < hi; {
		as.mu.RLock()
		v := as.vmas.find(at)
		var err error
		var obj *Object
		var off, n int64
		switch {
		case v == nil || v.start > at:
			err = unix.ENOMEM
		case v.is(vmLocked) || v.obj == nil:
			err = unix.EINVAL
		case !v.is(vmShared) || v.maxProt&unix.PROT_WRITE == 0:
			err = unix.EACCES
		default:
			obj = v.obj
			obj.Ref()
			off = int64(v.index(at) << arch.PageShift)
			n = int64(min(v.end, hi) - at)
		}
		as.mu.RUnlock()
		if err != nil {
			return err
		}
		err = obj.PunchHole(off, n)
		obj.Unref()
		if err != nil {
			return err
		}
		at += uint64(n)
	}
	return nil
}
