package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// Fork returns a copy of the address space for a child process: the same VMAs
// and, by copy-on-write, the same pages; or ENOMEM. No page is copied. Nor is
// a leaf table that shows many private pages, or program text only: parent and
// child share it, write-protected one level up, until one of them changes it
// (leaf.go). Of other tables the entries are copied, those of private pages
// write-protected on both sides. An entry that can fault in again from an
// Object is copied while there are few of them: that is cheaper than the fault.
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
	child.strays = as.strays
	if !child.copyVMAs(as) {
		err = unix.ENOMEM
	}
	f := forking{as: as, child: child}
	if err == nil && !f.tables() {
		err = unix.ENOMEM
	}
	child.mu.Unlock()
	// Before the child can run: no CPU may go on writing to pages that are
	// shared now.
	switch {
	case f.protectedTable || f.npages > len(f.pages):
		as.pt.FlushAll()
	case f.npages > 0:
		as.pt.FlushPages(f.pages[:f.npages])
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

// sharedTextPages is how many pages a leaf table that only shows what nobody
// may write must show for fork to share it.
const sharedTextPages = 8

// copiedCachePages is how many entries of pages of an Object fork copies from
// one leaf table.
const copiedCachePages = 64

// forking is a fork under way, with both mu held in write mode.
type forking struct {
	as, child *AddressSpace

	// What of as may not be written any more: tables, and so many pages, the
	// first of which are in pages.
	protectedTable bool
	npages         int
	pages          [16]uint64

	// Resident pages of as that the child does not get. What the tables show
	// that are shared need not be counted: it is the rest.
	anon, file, shmem int64
}

// tables gives the child the pages; false if there was no memory.
func (f *forking) tables() bool {
	as, child := f.as, f.child
	for base, leaf := as.nextTable(0); leaf != nil; base, leaf = as.nextTable(base + arch.LeafSpan) {
		first := as.vmas.find(base)
		next, ok := f.share(first, base, leaf)
		if !ok {
			return false
		}
		if next > base {
			base = next - arch.LeafSpan // the last one that is done
			continue
		}
		var to *[512]arch.PTE // the child's table, made when there is something for it
		room := copiedCachePages
		for v := first; v != nil && v.start < base+arch.LeafSpan; v = v.next {
			if !f.copyEntries(v, base, &leaf, &to, &room) {
				return false
			}
		}
	}
	child.rssAnon.Add(as.rssAnon.Load() - f.anon)
	child.rssFile.Add(as.rssFile.Load() - f.file)
	child.rssShmem.Add(as.rssShmem.Load() - f.shmem)
	return true
}

// span returns which entries of the leaf table at base belong to v.
func (v *vma) span(base uint64) (lo, hi uint64) {
	return (max(v.start, base) - base) >> arch.PageShift, (min(v.end, base+arch.LeafSpan) - base) >> arch.PageShift
}

// share gives the child the leaf table at base, whose first VMA is given, and
// those behind it under the same VMA, as far as they are to be shared, and
// returns where it stopped; false if there was no memory.
func (f *forking) share(first *vma, base uint64, leaf *[512]arch.PTE) (next uint64, ok bool) {
	end := first.end &^ (arch.LeafSpan - 1)
	want := dirtied
	if first.start > base || end <= base || first.obj != nil || first.is(vmDontFork|vmWipeOnFork) {
		// Not a table of one anonymous VMA only: this one has to be looked at.
		if !f.shareable(first, base, leaf) {
			return base, true
		}
		end = base + arch.LeafSpan
		want = func(*[512]arch.PTE) bool { return true }
	}
	next, n, changed, ok := f.as.pt.ShareLeaves(f.child.pt, base, end, want)
	f.protectedTable = f.protectedTable || changed
	f.as.counters.tableShares.Add(uint64(n))
	return next, ok
}

// dirtied reports whether a leaf table of anonymous memory shows so many private
// pages that it is to be shared.
func dirtied(leaf *[512]arch.PTE) bool {
	n := 0
	for i := 0; i < len(leaf); i += 8 {
		if arch.AnyOf8(leaf, i) {
			for _, e := range leaf[i : i+8] {
				if pteHasFrame(e) {
					n++
				}
			}
			if n >= sharePages {
				return true
			}
		}
	}
	return false
}

// shareable decides whether the leaf table at base, whose first VMA is given,
// is to be shared: it must show many private pages or nothing that can be
// written, and nothing that the child must not have.
func (f *forking) shareable(first *vma, base uint64, leaf *[512]arch.PTE) bool {
	private, writable := uint64(0), false
	for v := first; v != nil && v.start < base+arch.LeafSpan; v = v.next {
		if v.is(vmDontFork | vmWipeOnFork) {
			return false
		}
		writable = writable || v.prot&unix.PROT_WRITE != 0
		if !v.is(vmShared) && (v.obj == nil || v.prot&unix.PROT_WRITE != 0) {
			lo, hi := v.span(base)
			private += hi - lo
		}
	}
	if !writable && presentEntries(first, base, leaf, sharedTextPages) == sharedTextPages {
		return true
	}
	if private < uint64(sharePages) {
		return false
	}
	n := 0
	for i := arch.NextEntry(leaf, 0, 512); i < 512; i = arch.NextEntry(leaf, i+1, 512) {
		if e := leaf[i]; pteHasFrame(e) && e.Frame().Use() == arch.UseAnon {
			if n++; n >= sharePages {
				return true
			}
		}
	}
	return false
}

// presentEntries counts the pages that the leaf table at base shows, up to limit.
func presentEntries(first *vma, base uint64, leaf *[512]arch.PTE, limit int) (n int) {
	for v := first; v != nil && v.start < base+arch.LeafSpan; v = v.next {
		lo, hi := v.span(base)
		for i := arch.NextEntry(leaf, lo, hi); i < hi; i = arch.NextEntry(leaf, i+1, hi) {
			if pteHasFrame(leaf[i]) {
				if n++; n == limit {
					return n
				}
			}
		}
	}
	return n
}

// copyEntries copies the entries of v in the leaf table at base into the
// child's table, and write-protects private pages on both sides; false if
// there was no memory. room is for how many pages of an Object there is room.
func (f *forking) copyEntries(v *vma, base uint64, leaf, to **[512]arch.PTE, room *int) bool {
	inherited := !v.is(vmDontFork | vmWipeOnFork)
	other := &f.file // what pages of v.obj count as
	if v.obj != nil && v.obj.shmem {
		other = &f.shmem
	}
	pages := uint64(0)
	lo, hi := v.span(base)
	for i := lo; i < hi; i++ {
		e := arch.LoadPTE(&(*leaf)[i])
		if e == 0 {
			i = arch.NextEntry(*leaf, i, hi) - 1
			continue
		}
		if !pteHasFrame(e) {
			continue
		}
		anon := e.Frame().Use() == arch.UseAnon
		switch {
		case anon && inherited:
		case anon:
			f.anon++
			continue
		case !inherited || *room == 0:
			*other++
			continue
		default:
			*room--
		}
		if *to == nil {
			if !f.as.ownLeaf(base) {
				return false
			}
			*leaf = f.as.pt.LeafFrame(base).Entries()
			if *to = f.child.leafFor(base); *to == nil {
				return false
			}
		}
		if anon {
			p := &(*leaf)[i]
			if e.Writable() {
				if f.npages < len(f.pages) {
					f.pages[f.npages] = base + i<<arch.PageShift
				}
				f.npages++
			}
			for e = arch.LoadPTE(p); e.Writable(); e = arch.LoadPTE(p) {
				if arch.CASPTE(p, e, e&^arch.PTEWritable) {
					e &^= arch.PTEWritable
					break
				} // else the CPU set accessed or dirty
			}
			pages++
		}
		e.Frame().Ref()
		arch.StorePTE(&(*to)[i], e)
	}
	f.as.counters.forkCopied.Add(pages)
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
