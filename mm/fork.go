package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Fork returns a copy of the address space for a child process: the same VMAs
// and, by copy-on-write, the same pages; or ENOMEM. No page is copied. What
// can fault in again from an Object is not copied into the child's tables
// either; private pages are write-protected on both sides.
//
// The calling task keeps running on as; its other threads may too.
func (as *AddressSpace) Fork() (*AddressSpace, error) {
	child, err := New()
	if err != nil {
		return nil, err
	}
	child.SetLimits(as.Limits())
	as.mu.Lock()
	// The child is not running, but Truncate can reach it by its mappings.
	child.mu.Lock()
	child.layout = as.layout
	child.brk = as.brk
	protected := false
	for v := as.vmas.first; v != nil; v = v.next {
		if v.is(vmDontFork) {
			continue
		}
		w := &vma{
			start: v.start, end: v.end, flags: v.flags &^ (vmLocked | vmLockFault),
			prot: v.prot, maxProt: v.maxProt, pteProt: v.pteProt,
			obj: v.obj, pgoff: v.pgoff, backing: v.backing, name: v.name,
		}
		child.addVMA(w)
		if v.is(vmShared | vmWipeOnFork) {
			continue
		}
		p, ok := as.copyEntries(child, v)
		protected = protected || p
		if !ok {
			err = unix.ENOMEM
			break
		}
	}
	child.mu.Unlock()
	if protected {
		// Before the child can run: no CPU may go on writing to pages that
		// are shared now.
		as.pt.FlushAll()
	}
	as.mu.Unlock()
	if err != nil {
		child.Unref()
		return nil, err
	}
	return child, nil
}

// copyEntries enters the anonymous pages of v into the child's page table and
// write-protects them on both sides. It reports whether any entry of as lost
// its write permission; ok is false if there was no memory for a table.
// Precondition: both mu held in write mode.
func (as *AddressSpace) copyEntries(child *AddressSpace, v *vma) (protected, ok bool) {
	pages := int64(0)
	ok = true
	for lo := v.start; lo < v.end; {
		base, leaf := as.pt.NextLeaf(lo, v.end)
		if leaf == nil {
			break
		}
		end := min(base+arch.LeafSpan, v.end)
		var to *[512]arch.PTE // the child's table, made when there is something for it
		for va := max(base, lo); va < end; va += arch.PageSize {
			p := &leaf[(va-base)>>arch.PageShift]
			e := arch.LoadPTE(p)
			if e == 0 || !pteHasFrame(e) {
				continue
			}
			f := e.Frame()
			if f.Use() != arch.UseAnon {
				continue // a page of the file: the child can fault it in
			}
			if to == nil {
				if to = child.leafFor(va); to == nil {
					ok = false
					break
				}
			}
			for e.Writable() {
				protected = true
				if arch.CASPTE(p, e, e&^arch.PTEWritable) {
					break
				}
				e = arch.LoadPTE(p) // the CPU set accessed or dirty
			}
			f.Ref()
			arch.StorePTE(&to[(va-base)>>arch.PageShift], e&^arch.PTEWritable)
			pages++
		}
		if !ok {
			break
		}
		lo = end
	}
	child.rssAnon.Add(pages)
	as.counters.forkCopied.Add(uint64(pages))
	return protected, ok
}

// leafFor returns the leaf table that covers va, making it; nil if there is no
// memory. Precondition: mu held in write mode.
func (as *AddressSpace) leafFor(va uint64) *[512]arch.PTE {
	for try := 0; ; {
		if _, ok := as.pt.Ensure(va); ok {
			_, leaf := as.pt.NextLeaf(va, va+arch.PageSize)
			return leaf
		}
		if !reclaim(&try) {
			return nil
		}
	}
}
