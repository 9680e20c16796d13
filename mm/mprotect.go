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
	dead, err := as.protectLocked(lo, hi, uint8(prot&protBits), down)
	as.mu.Unlock()
	release(dead)
	return err
}

// protSem is PROT_SEM (UAPI asm-generic/mman-common.h): accepted, without
// meaning on x86.
const protSem = 0x8

func (as *AddressSpace) protectLocked(lo, hi uint64, prot uint8, down bool) (dead *vma, err error) {
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
	g := gather{as: as}
	defer g.done()
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
			as.reprotect(&g, v)
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
func (as *AddressSpace) reprotect(g *gather, v *vma) {
	shared := v.is(vmShared)
	as.eachEntry(v.start, v.end, func(va uint64, p *arch.PTE, e arch.PTE) {
		for {
			var now arch.PTE
			if pteHasFrame(e) {
				// Where a write needs no fault to copy or to mark dirty,
				// spare it.
				f := e.Frame()
				free := false
				if shared {
					free = v.obj.pager == nil || e.Writable()
				} else {
					free = f.Use() == arch.UseAnon && f.Refs() == 1
				}
				now = pteReprotect(e, v.pteProt, free)
			}
			// Else the page of zeros: the next access brings it back.
			if now == e {
				return
			}
			if arch.CASPTE(p, e, now) {
				g.touch(va)
				return
			}
			e = arch.LoadPTE(p) // the CPU set accessed or dirty
		}
	})
}
