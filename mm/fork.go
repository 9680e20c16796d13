package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Fork returns a copy of the address space for a child process: the same VMAs
// and, by copy-on-write, the same pages; or ENOMEM. No page is copied. Nor is
// a leaf table with many pages: parent and child share it, write-protected one
// level up, until one of them writes there (leaf.go). Of other tables the
// entries of private pages are copied, write-protected on both sides. What can
// fault in again from an Object is not copied.
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
	for v := as.vmas.first; v != nil; v = v.next {
		if v.is(vmDontFork) {
			continue
		}
		if child.vmas.n&127 == 127 && !arch.KernelRoom() {
			err = unix.ENOMEM
			break
		}
		child.addVMA(&vma{
			start: v.start, end: v.end, flags: v.flags &^ (vmLocked | vmLockFault),
			prot: v.prot, maxProt: v.maxProt, pteProt: v.pteProt,
			obj: v.obj, pgoff: v.pgoff, backing: v.backing, name: v.name,
		})
	}
	f := forking{as: as, child: child}
	if err == nil && !f.tables() {
		err = unix.ENOMEM
	}
	child.mu.Unlock()
	if f.protected {
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

// sharePages is how many private pages a leaf table must show for fork to
// share it. Below that, copying the entries is cheaper than the faults that
// sharing costs later. Constant but for tests.
var sharePages = 64

// forking is a fork under way, with both mu held in write mode.
type forking struct {
	as, child *AddressSpace
	protected bool // some page of as may not be written any more

	// Resident pages of as in tables that were not shared. What is resident
	// in the others need not be counted: it is the rest.
	anon, file, shmem int64
}

// tables gives the child the pages; false if there was no memory.
func (f *forking) tables() bool {
	as, child := f.as, f.child
	for base, leaf := as.nextTable(0); leaf != nil; base, leaf = as.nextTable(base + arch.LeafSpan) {
		share, anon, other := f.look(base, leaf)
		if share {
			changed, ok := as.pt.ShareLeaf(child.pt, base)
			if !ok {
				return false
			}
			f.protected = f.protected || changed
			as.counters.tableShares.Add(1)
			continue
		}
		f.anon += anon
		end := base + arch.LeafSpan
		for v := as.vmas.find(base); v != nil && v.start < end && anon|other != 0; v = v.next {
			if other != 0 {
				f.countOther(v, base, leaf)
			}
			if anon != 0 && !v.is(vmShared|vmDontFork|vmWipeOnFork) && !f.copyEntries(v, base, leaf) {
				return false
			}
		}
	}
	child.rssAnon.Add(as.rssAnon.Load() - f.anon)
	child.rssFile.Add(as.rssFile.Load() - f.file)
	child.rssShmem.Add(as.rssShmem.Load() - f.shmem)
	return true
}

// look decides whether the leaf table at base is to be shared: it must show
// many private pages, and nothing that the child must not have. If not, it
// returns how many anonymous and other pages the table shows.
func (f *forking) look(base uint64, leaf *[512]arch.PTE) (share bool, anon, other int64) {
	limit := int64(sharePages)
	end := base + arch.LeafSpan
	for v := f.as.vmas.find(base); v != nil && v.start < end; v = v.next {
		if v.is(vmDontFork | vmWipeOnFork) {
			limit = -1
		}
	}
	for i := 0; i < len(leaf); i += 8 {
		if !arch.AnyOf8(leaf, i) {
			continue
		}
		for _, e := range leaf[i : i+8] {
			if e == 0 || !pteHasFrame(e) {
				continue
			}
			if e.Frame().Use() != arch.UseAnon {
				other++
			} else if anon++; anon == limit {
				return true, 0, 0
			}
		}
	}
	return false, anon, other
}

// countOther adds v's pages of its Object in the leaf table at base to the
// pages in tables that are not shared.
func (f *forking) countOther(v *vma, base uint64, leaf *[512]arch.PTE) {
	if v.obj == nil {
		return
	}
	n := int64(0)
	lo := (max(v.start, base) - base) >> arch.PageShift
	hi := (min(v.end, base+arch.LeafSpan) - base) >> arch.PageShift
	for _, e := range leaf[lo:hi] {
		if e != 0 && pteHasFrame(e) && e.Frame().Use() != arch.UseAnon {
			n++
		}
	}
	if v.obj.shmem {
		f.shmem += n
	} else {
		f.file += n
	}
}

// copyEntries enters those anonymous pages of v that the leaf table at base
// shows into the child's page table and write-protects them on both sides;
// false if there was no memory.
func (f *forking) copyEntries(v *vma, base uint64, leaf *[512]arch.PTE) bool {
	lo := (max(v.start, base) - base) >> arch.PageShift
	hi := (min(v.end, base+arch.LeafSpan) - base) >> arch.PageShift
	var to *[512]arch.PTE // the child's table, made when there is something for it
	pages := int64(0)
	for i := lo; i < hi; i++ {
		e := leaf[i]
		if e == 0 || !pteHasFrame(e) || e.Frame().Use() != arch.UseAnon {
			continue
		}
		if to == nil {
			if !f.as.ownLeaf(base) {
				return false
			}
			leaf = f.as.pt.LeafFrame(base).Entries()
			if to = f.child.leafFor(base); to == nil {
				return false
			}
		}
		p := &leaf[i]
		for e = arch.LoadPTE(p); e.Writable(); e = arch.LoadPTE(p) {
			f.protected = true
			if arch.CASPTE(p, e, e&^arch.PTEWritable) {
				e &^= arch.PTEWritable
				break
			} // else the CPU set accessed or dirty
		}
		e.Frame().Ref()
		arch.StorePTE(&to[i], e)
		pages++
	}
	f.child.rssAnon.Add(pages)
	f.as.counters.forkCopied.Add(uint64(pages))
	return true
}

// leafFor returns the leaf table that covers va, making it, and making it the
// address space's own; nil if there is no memory. Precondition: mu held in
// write mode.
func (as *AddressSpace) leafFor(va uint64) *[512]arch.PTE {
	for try := 0; ; {
		if _, ok := as.pt.Ensure(va); ok && as.ownLeaf(va) {
			return as.pt.LeafFrame(va).Entries()
		}
		if !reclaim(&try) {
			return nil
		}
	}
}
