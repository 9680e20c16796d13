package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Mremap grows, shrinks or moves a mapping (mremap(2)) and returns its
// address. flags are unix.MREMAP_*; caller may be nil.
func (as *AddressSpace) Mremap(addr, oldLen, newLen uint64, flags int, newAddr uint64, caller Caller) (uint64, error) {
	const known = unix.MREMAP_MAYMOVE | unix.MREMAP_FIXED | unix.MREMAP_DONTUNMAP
	mayMove := flags&unix.MREMAP_MAYMOVE != 0
	if flags&^known != 0 || !mayMove && flags&unix.MREMAP_FIXED != 0 || !aligned(addr) {
		return 0, unix.EINVAL
	}
	if flags&unix.MREMAP_DONTUNMAP != 0 && (!mayMove || oldLen != newLen) {
		return 0, unix.EINVAL
	}
	if newLen == 0 || newLen > arch.UserTop || oldLen > arch.UserTop {
		return 0, unix.EINVAL
	}
	if addr <= arch.UserTop && !userRange(addr, oldLen) {
		return 0, unix.EINVAL
	}
	r := remap{as: as, addr: addr, oldLen: pageUp(oldLen), newLen: pageUp(newLen), flags: flags, newAddr: newAddr}
	as.mu.Lock()
	to, err := r.run()
	as.mu.Unlock()
	release(r.dead)
	if err != nil {
		return 0, err
	}
	if r.populate {
		as.populate(to, to+r.newLen, caller)
	}
	return to, nil
}

// remap is one mremap call under way, with mu held in write mode.
type remap struct {
	as             *AddressSpace
	addr           uint64
	oldLen, newLen uint64 // whole pages
	flags          int
	newAddr        uint64

	dead     *vma // to release afterwards
	populate bool // the mapping is locked and grew
}

func (r *remap) run() (uint64, error) {
	as := r.as
	v := as.vmas.find(r.addr)
	if v == nil || v.start > r.addr {
		return 0, unix.EFAULT
	}
	if r.flags&(unix.MREMAP_FIXED|unix.MREMAP_DONTUNMAP) != 0 {
		return r.toPlace()
	}
	if r.oldLen >= r.newLen {
		var err error
		r.dead, err = as.unmapLocked(r.addr+r.newLen, r.addr+r.oldLen, r.dead)
		return r.addr, err
	}
	if err := r.check(v); err != nil {
		return 0, err
	}
	if r.oldLen == v.end-r.addr && r.roomAbove(v) {
		grow := (r.newLen - r.oldLen) >> arch.PageShift
		as.account(v, int64(grow))
		as.vmas.resize(v, v.start, r.addr+r.newLen)
		r.populate = v.is(vmLocked) && !v.is(vmLockFault)
		_, r.dead = as.merge(v, r.dead)
		return r.addr, nil
	}
	if r.flags&unix.MREMAP_MAYMOVE == 0 {
		return 0, unix.ENOMEM
	}
	to, err := as.findArea(0, r.newLen, 0, false)
	if err != nil {
		return 0, err
	}
	return r.move(v, to)
}

// roomAbove reports whether v can grow to the new length where it is.
func (r *remap) roomAbove(v *vma) bool {
	end := r.addr + r.newLen
	if end > arch.UserTop {
		return false
	}
	return v.next == nil || v.next.start >= end && v.next.start-end >= guardBelow(v.next)
}

// check applies the rules for growing or moving v (vma_to_resize of Linux).
func (r *remap) check(v *vma) error {
	as := r.as
	if r.oldLen == 0 && !v.is(vmShared) {
		return unix.EINVAL
	}
	if r.addr+r.oldLen > v.end {
		return unix.EFAULT
	}
	if r.newLen <= r.oldLen {
		return nil
	}
	grow := (r.newLen - r.oldLen) >> arch.PageShift
	if v.obj != nil && v.index(r.addr)+r.newLen>>arch.PageShift > 1<<52 {
		return unix.EINVAL
	}
	if v.is(vmLocked) && !as.mayLock(grow) {
		return unix.EAGAIN
	}
	if !as.mayExpand(grow, v.isData()) || v.isData() && !v.is(vmNoReserve) && !mayCommit(grow) {
		return unix.ENOMEM
	}
	return nil
}

// toPlace moves to the address the caller gives (MREMAP_FIXED), or keeps the
// old range as an empty mapping (MREMAP_DONTUNMAP).
func (r *remap) toPlace() (uint64, error) {
	as := r.as
	fixed := r.flags&unix.MREMAP_FIXED != 0
	if fixed && !aligned(r.newAddr) || !fixed && r.newAddr != 0 && !aligned(r.newAddr) {
		return 0, unix.EINVAL
	}
	if r.newAddr > arch.UserTop-r.newLen {
		return 0, unix.EINVAL
	}
	if r.addr+r.oldLen > r.newAddr && r.newAddr+r.newLen > r.addr {
		return 0, unix.EINVAL // old and new overlap
	}
	if as.vmas.n+2 >= MaxMapCount {
		return 0, unix.ENOMEM
	}
	var err error
	if fixed {
		if r.newAddr < minAddr {
			return 0, unix.EPERM
		}
		if r.dead, err = as.unmapLocked(r.newAddr, r.newAddr+r.newLen, r.dead); err != nil {
			return 0, err
		}
	}
	if r.oldLen > r.newLen {
		if r.dead, err = as.unmapLocked(r.addr+r.newLen, r.addr+r.oldLen, r.dead); err != nil {
			return 0, err
		}
		r.oldLen = r.newLen
	}
	v := as.vmas.find(r.addr)
	if v == nil || v.start > r.addr {
		return 0, unix.EFAULT
	}
	if err := r.check(v); err != nil {
		return 0, err
	}
	if r.flags&unix.MREMAP_DONTUNMAP != 0 && !as.mayExpand(r.newLen>>arch.PageShift, v.isData()) {
		return 0, unix.ENOMEM
	}
	to, err := as.findArea(r.newAddr, r.newLen, 0, fixed)
	if err != nil {
		return 0, err
	}
	return r.move(v, to)
}

// move carries the pages of the old range over to a new VMA at to.
func (r *remap) move(v *vma, to uint64) (uint64, error) {
	as := r.as
	if as.vmas.n+3 > MaxMapCount {
		return 0, unix.ENOMEM
	}
	from, until := r.addr, r.addr+r.oldLen
	// All tables first: after this nothing can fail half way.
	for lo := from; lo < until; {
		base, leaf := as.pt.NextLeaf(lo, until)
		if leaf == nil {
			break
		}
		end := min(base+arch.LeafSpan, until)
		first, last := max(base, lo)-from+to, end-arch.PageSize-from+to
		if !as.ownLeaf(base) || as.leafFor(first) == nil || as.leafFor(last) == nil {
			as.freeTables(to, to+r.newLen)
			return 0, unix.ENOMEM
		}
		lo = end
	}
	w := &vma{
		start: to, end: to + r.newLen, flags: v.flags,
		prot: v.prot, maxProt: v.maxProt, pteProt: v.pteProt,
		obj: v.obj, pgoff: v.index(from), backing: v.backing, name: v.name,
	}
	as.addVMA(w)
	g := gather{as: as}
	as.eachEntry(from, until, func(va uint64, p *arch.PTE, _ arch.PTE) {
		e := arch.SwapPTE(p, 0)
		g.touch(va)
		arch.StorePTE(as.pt.Lookup(va-from+to), e)
	})
	g.done()
	r.populate = w.is(vmLocked) && !w.is(vmLockFault)
	_, r.dead = as.merge(w, r.dead)
	if r.flags&unix.MREMAP_DONTUNMAP == 0 && from < until {
		r.dead, _ = as.unmapLocked(from, until, r.dead)
	}
	return to, nil
}
