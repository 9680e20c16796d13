package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Munmap removes the mappings of [addr, addr+n) (munmap(2)). EINVAL for an
// unaligned or impossible range, ENOMEM if a split would make too many VMAs.
func (as *AddressSpace) Munmap(addr, n uint64) error {
	if !aligned(addr) || !userRange(addr, n) {
		return unix.EINVAL
	}
	n = pageUp(n)
	if n == 0 || !userRange(addr, n) {
		return unix.EINVAL
	}
	as.mu.Lock()
	dead, err := as.unmapLocked(addr, addr+n, nil)
	as.mu.Unlock()
	release(dead)
	if err != nil && !arch.KernelRoom() && as.admit() {
		return as.Munmap(addr, n)
	}
	return err
}

// unmapLocked takes everything in [lo, hi) away: pages, VMAs, empty page
// tables. VMAs whose references the caller must release go onto dead.
// Precondition: mu held in write mode.
func (as *AddressSpace) unmapLocked(lo, hi uint64, dead *vma) (*vma, error) {
	v := as.vmas.find(lo)
	if v == nil || v.start >= hi {
		return dead, nil
	}
	if v.start < lo && v.end > hi && !as.maySplit(v, lo, hi) {
		return dead, unix.ENOMEM // it would become two
	}
	g := gather{as: as}
	for v != nil && v.start < hi {
		if v.start < lo && v.end > hi {
			as.split(v, hi)
		}
		next := v.next
		from, to := max(v.start, lo), min(v.end, hi)
		as.zap(&g, v, from, to)
		if from == v.start && to == v.end {
			dead = as.dropVMA(v, dead)
		} else {
			as.trim(v, from, to)
		}
		v = next
	}
	g.done()
	as.freeTables(lo, hi)
	return dead, nil
}

// Brk moves the end of the heap (brk(2) as the kernel has it): it returns the
// new end, or the old one if addr cannot be. caller may be nil.
func (as *AddressSpace) Brk(addr uint64, caller Caller) uint64 {
	as.mu.Lock()
	end, dead, populate := as.brkLocked(addr)
	old := as.brk
	as.brk = end
	as.mu.Unlock()
	release(dead)
	if populate {
		as.populate(pageUp(old), pageUp(end), caller)
	}
	return end
}

func (as *AddressSpace) brkLocked(addr uint64) (end uint64, dead *vma, populate bool) {
	start := as.layout.StartBrk
	if start == 0 || addr < start || addr > arch.UserTop {
		return as.brk, nil, false
	}
	// The limit counts the heap and the program's data (check_data_rlimit).
	data := as.layout.EndData - as.layout.StartData
	if limit := as.limitData.Load(); limit != ^uint64(0) && addr-start+data > limit {
		return as.brk, nil, false
	}
	from, to := pageUp(as.brk), pageUp(addr)
	switch {
	case to == from:
		return addr, nil, false
	case to < from:
		dead, err := as.unmapLocked(to, from, nil)
		if err != nil {
			return as.brk, dead, false
		}
		return addr, dead, false
	}
	n := (to - from) >> arch.PageShift
	if !as.freeWithGuard(from, to-from) || as.vmas.n > MaxMapCount ||
		!as.mayExpand(n, true) || !mayCommit(n) ||
		as.lockNew&vmLocked != 0 && !as.mayLock(n) {
		return as.brk, nil, false
	}
	v := as.newVMA()
	v.start, v.end, v.flags, v.maxProt = from, to, as.lockNew, protBits
	v.setProt(unix.PROT_READ | unix.PROT_WRITE)
	v, dead = as.addPages(v, nil)
	return addr, dead, v.is(vmLocked) && !v.is(vmLockFault)
}
