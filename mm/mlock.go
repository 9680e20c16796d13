package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Nothing is ever swapped out, and pages are taken from a process only by its
// own doing; so locking memory means faulting it in and keeping the account.

// Mlock locks [addr, addr+n) (mlock(2), mlock2(2); flags may be
// unix.MLOCK_ONFAULT). caller may be nil.
func (as *AddressSpace) Mlock(addr, n uint64, flags int, caller Caller) error {
	if flags&^unix.MLOCK_ONFAULT != 0 {
		return unix.EINVAL
	}
	if as.limitMemlock.Load() == 0 {
		return unix.EPERM
	}
	lo, hi, err := lockRange(addr, n)
	if err != nil || lo == hi {
		return err
	}
	want := vmLocked
	if flags != 0 {
		want |= vmLockFault
	}
	as.mu.Lock()
	pages := (hi - lo) >> arch.PageShift
	if pages -= min(pages, as.lockedIn(lo, hi)); !as.mayLock(pages) {
		as.mu.Unlock()
		return unix.ENOMEM
	}
	dead, err := as.lockLocked(lo, hi, want)
	as.mu.Unlock()
	release(dead)
	if err == nil && flags == 0 {
		err = as.populate(lo, hi, caller)
	}
	return err
}

// Munlock is the reverse of Mlock.
func (as *AddressSpace) Munlock(addr, n uint64) error {
	lo, hi, err := lockRange(addr, n)
	if err != nil || lo == hi {
		return err
	}
	as.mu.Lock()
	dead, err := as.lockLocked(lo, hi, 0)
	as.mu.Unlock()
	release(dead)
	return err
}

// lockRange rounds to whole pages outwards.
func lockRange(addr, n uint64) (lo, hi uint64, err error) {
	lo = addr &^ (arch.PageSize - 1)
	size := pageUp(n + addr - lo)
	if n != 0 && size == 0 || lo+size < lo || n+addr-lo < n {
		return 0, 0, unix.EINVAL
	}
	return lo, lo + size, nil
}

// lockedIn counts the pages in [lo, hi) that are locked already.
// Precondition: mu held.
func (as *AddressSpace) lockedIn(lo, hi uint64) uint64 {
	n := uint64(0)
	for v := as.vmas.find(lo); v != nil && v.start < hi; v = v.next {
		if v.is(vmLocked) {
			n += (min(v.end, hi) - max(v.start, lo)) >> arch.PageShift
		}
	}
	return n
}

// lockLocked sets the lock flags of [lo, hi) to want. Precondition: mu held in
// write mode.
func (as *AddressSpace) lockLocked(lo, hi uint64, want vmaFlags) (dead *vma, err error) {
	for at := lo; at < hi; {
		v := as.vmas.find(at)
		if v == nil || v.start > at {
			return dead, unix.ENOMEM
		}
		end := min(v.end, hi)
		if flags := v.flags&^(vmLocked|vmLockFault) | want; flags != v.flags {
			if dead, err = as.setFlags(v, at, end, flags, dead); err != nil {
				return dead, err
			}
		}
		at = end
	}
	return dead, nil
}

// Mlockall locks what is mapped (MCL_CURRENT), what will be (MCL_FUTURE), or
// both (mlockall(2)). caller may be nil.
func (as *AddressSpace) Mlockall(flags int, caller Caller) error {
	const known = unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT
	if flags == 0 || flags&^known != 0 || flags == unix.MCL_ONFAULT {
		return unix.EINVAL
	}
	if as.limitMemlock.Load() == 0 {
		return unix.EPERM
	}
	want := vmLocked
	if flags&unix.MCL_ONFAULT != 0 {
		want |= vmLockFault
	}
	as.mu.Lock()
	limit := as.limitMemlock.Load()
	if flags&unix.MCL_CURRENT != 0 && limit != ^uint64(0) && as.totalVM > limit>>arch.PageShift {
		as.mu.Unlock()
		return unix.ENOMEM
	}
	as.lockNew = 0
	if flags&unix.MCL_FUTURE != 0 {
		as.lockNew = want
	}
	var dead *vma
	if flags&unix.MCL_CURRENT != 0 {
		dead = as.lockAll(want)
	}
	as.mu.Unlock()
	release(dead)
	if flags&unix.MCL_CURRENT != 0 && want == vmLocked {
		as.populateAll(caller)
	}
	return nil
}

// Munlockall unlocks everything, now and for the future.
func (as *AddressSpace) Munlockall() error {
	as.mu.Lock()
	as.lockNew = 0
	dead := as.lockAll(0)
	as.mu.Unlock()
	release(dead)
	return nil
}

// lockAll sets the lock flags of all VMAs. Precondition: mu held in write mode.
func (as *AddressSpace) lockAll(want vmaFlags) (dead *vma) {
	for v := as.vmas.first; v != nil; v = v.next {
		if flags := v.flags&^(vmLocked|vmLockFault) | want; flags != v.flags {
			as.account(v, -int64(v.pages()))
			v.flags = flags
			as.account(v, int64(v.pages()))
			v, dead = as.merge(v, dead)
		}
	}
	return dead
}

// populateAll faults everything in that can be.
func (as *AddressSpace) populateAll(caller Caller) {
	for at := uint64(0); !killed(caller); {
		as.mu.RLock()
		v := as.vmas.find(at)
		if v == nil {
			as.mu.RUnlock()
			return
		}
		lo, hi := v.start, v.end
		as.mu.RUnlock()
		as.populate(lo, hi, caller)
		at = hi
	}
}

// Mincore writes one byte per page of [addr, addr+n) to user address vec: 1
// if the page is in memory (mincore(2)).
func (as *AddressSpace) Mincore(addr, n, vec uint64) error {
	if !aligned(addr) {
		return unix.EINVAL
	}
	if !userRange(addr, n) {
		return unix.ENOMEM
	}
	pages := pageUp(n) >> arch.PageShift
	if !userRange(vec, pages) {
		return unix.EFAULT
	}
	var buf [512]byte
	for done := uint64(0); done < pages; {
		part := buf[:min(uint64(len(buf)), pages-done)]
		if err := as.mincore(addr+done<<arch.PageShift, part); err != nil {
			return err
		}
		if err := as.CopyOut(vec+done, part); err != nil {
			return err
		}
		done += uint64(len(part))
	}
	return nil
}

func (as *AddressSpace) mincore(addr uint64, out []byte) error {
	as.mu.RLock()
	defer as.mu.RUnlock()
	v := as.vmas.find(addr)
	for i := range out {
		va := addr + uint64(i)<<arch.PageShift
		if v != nil && va >= v.end {
			v = v.next
		}
		if v == nil || va < v.start {
			return unix.ENOMEM
		}
		out[i] = 0
		if p := as.pt.Lookup(va); p != nil && arch.LoadPTE(p) != 0 {
			out[i] = 1
		} else if v.obj != nil {
			if f, ok := v.obj.Lookup(v.index(va)); ok {
				f.Unref()
				out[i] = 1
			}
		}
	}
	return nil
}

// Msync writes changed pages of file mappings back (msync(2)). Holes are
// reported as ENOMEM at the end.
func (as *AddressSpace) Msync(addr, n uint64, flags int) error {
	if flags&^(unix.MS_ASYNC|unix.MS_INVALIDATE|unix.MS_SYNC) != 0 || !aligned(addr) ||
		flags&unix.MS_ASYNC != 0 && flags&unix.MS_SYNC != 0 {
		return unix.EINVAL
	}
	size := pageUp(n)
	if addr+size < addr || n != 0 && size == 0 {
		return unix.ENOMEM
	}
	var hole error
	for at, hi := addr, addr+size; at < hi; {
		as.mu.RLock()
		v := as.vmas.find(at)
		if v == nil || v.start >= hi {
			as.mu.RUnlock()
			return unix.ENOMEM
		}
		if v.start > at {
			hole = unix.ENOMEM
			at = v.start
		}
		if flags&unix.MS_INVALIDATE != 0 && v.is(vmLocked) {
			as.mu.RUnlock()
			return unix.EBUSY
		}
		end := min(v.end, hi)
		obj, off := v.obj, int64(v.index(at)<<arch.PageShift)
		if obj != nil && v.is(vmShared) && flags&unix.MS_SYNC != 0 {
			obj.Ref()
		} else {
			obj = nil
		}
		as.mu.RUnlock()
		if obj != nil {
			err := obj.SyncRange(off, int64(end-at))
			obj.Unref()
			if err != nil {
				return err
			}
		}
		at = end
	}
	return hole
}
