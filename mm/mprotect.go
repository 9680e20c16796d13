package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Mprotect changes the protection of [addr, addr+n) (mprotect(2)). Errors:
// EINVAL for a bad protection or address, ENOMEM for a hole or too many VMAs,
// EACCES where the file does not allow it. VMAs before the offending one are
// changed all the same, as on Linux.
func (as *AddressSpace) Mprotect(addr, n uint64, prot int) error {
	const grows = unix.PROT_GROWSDOWN | unix.PROT_GROWSUP
	down := prot&unix.PROT_GROWSDOWN != 0
	if prot&grows == grows || !aligned(addr) {
		return unix.EINVAL
	}
	if n == 0 {
		return nil
	}
	n = pageUp(n)
	if n == 0 || addr+n <= addr {
		return unix.ENOMEM
	}
	prot &^= grows
	if prot&^(protBits|unix.PROT_NONE|protSem) != 0 {
		return unix.EINVAL
	}
	lo, hi := addr, addr+n

	as.admit()
	as.mu.Lock()
	var c protChange
	dead, err := as.protectLocked(&c, lo, hi, uint8(prot&protBits), down)
	c.flush(as)
	as.mu.Unlock()
	release(dead)
	return err
}

// protSem is PROT_SEM (UAPI asm-generic/mman-common.h): accepted, without
// meaning on x86.
const protSem = 0x8

// protChange is what Mprotect did to page-table entries.
type protChange struct {
	less span // entries that lost a right
	more span // entries that only gained some
}

// touch notes that the entry for va was e and is now another.
func (c *protChange) touch(va uint64, e, now arch.PTE) {
	if now.AllowsAll(e) {
		c.more.touch(va)
	} else {
		c.less.touch(va)
	}
}

// flush makes the CPUs forget what entries said before. Where one only gained
// rights, no other CPU need be interrupted: it may take a fault for nothing.
func (c *protChange) flush(as *AddressSpace) {
	if c.less.hi != 0 {
		as.pt.FlushRange(c.less.lo, c.less.hi)
	}
	if c.more.hi != 0 {
		as.pt.FlushLocalRange(c.more.lo, c.more.hi)
	}
}

// protectLocked does the work of Mprotect; the caller flushes. Precondition: mu
// held in write mode.
func (as *AddressSpace) protectLocked(c *protChange, lo, hi uint64, prot uint8, down bool) (dead *vma, err error) {
	v := as.vmas.find(lo)
	if v == nil || v.start >= hi {
		return nil, unix.ENOMEM
	}
	if down {
		if !v.isStack() {
			return nil, unix.EINVAL
		}
		lo = v.start
	}
	if v.start > lo {
		return nil, unix.ENOMEM
	}
	for at := lo; at < hi; {
		if v == nil || v.start > at {
			return dead, unix.ENOMEM
		}
		if prot&^v.maxProt != 0 {
			return dead, unix.EACCES
		}
		end := min(v.end, hi)
		if v.prot != prot {
			if !as.maySplit(v, at, end) {
				return dead, unix.ENOMEM
			}
			if !as.ownRange(at, end) {
				return dead, unix.ENOMEM
			}
			v = as.isolate(v, at, end)
			was, wasData := v.prot, v.isData()
			as.account(v, -int64(v.pages()))
			v.setProt(prot)
			if v.isData() && !wasData && !as.mayExpand(v.pages(), true) {
				v.setProt(was)
				as.account(v, int64(v.pages()))
				_, dead = as.merge(v, dead)
				return dead, unix.ENOMEM
			}
			as.account(v, int64(v.pages()))
			as.reprotect(c, v)
			v, dead = as.merge(v, dead)
		}
		at = end
		if v.end <= at {
			v = v.next
		}
	}
	return dead, nil
}

// reprotect brings the entries of v in line with its protection.
// Precondition: mu held in write mode.
func (as *AddressSpace) reprotect(c *protChange, v *vma) {
	for lo := v.start; lo < v.end; {
		base, leaf := as.pt.NextLeaf(lo, v.end)
		if leaf == nil {
			return
		}
		end := min(base+arch.LeafSpan, v.end)
		for va := max(base, lo); va < end; va += arch.PageSize {
			p := &leaf[(va-base)>>arch.PageShift]
			for e := arch.LoadPTE(p); e != 0; e = arch.LoadPTE(p) {
				now := v.reprotected(e)
				if now != e && !arch.CASPTE(p, e, now) {
					continue // the CPU set accessed or dirty
				}
				if now != e {
					c.touch(va, e, now)
				}
				break
			}
		}
		lo = end
	}
}

// reprotected returns what an entry of v must be when v has changed its
// protection: nothing for the page of zeros, which the next access brings back.
func (v *vma) reprotected(e arch.PTE) arch.PTE {
	if !pteHasFrame(e) {
		return 0
	}
	// Where a write needs no fault to copy or to mark dirty, spare it.
	mayWrite := false
	switch {
	case v.pteProt&arch.ProtWrite == 0:
	case v.is(vmShared):
		mayWrite = v.obj.pager == nil || e.Writable()
	default:
		f := e.Frame()
		mayWrite = f.Use() == arch.UseAnon && f.Refs() == 1
	}
	return pteReprotect(e, v.pteProt, mayWrite)
}
