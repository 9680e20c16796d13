package mm

import (
	arch "tamarix/arch/amd64"
)

// Leaf tables that fork has shared (see fork.go). A shared table is
// write-protected one level up and never changes, but for losing write
// permissions when one of its owners makes a copy. Its entries hold one
// reference to each frame, however many address spaces show the table; so
// "reference count 1" still means "last owner" for a page whose table is owned.

// ownLeaf makes the leaf table that covers va, if there is one, this address
// space's own: by claiming it as the last owner, or by copying it. It is false
// if there was no memory. Precondition: mu held in write mode.
func (as *AddressSpace) ownLeaf(va uint64) bool {
	if _, state := as.pt.Leaf(va); state != arch.LeafShared {
		return true
	}
	base := va &^ (arch.LeafSpan - 1)
	old := as.pt.LeafFrame(base)
	if old.Refs() == 1 {
		// Nobody can gain a reference but by forking this address space.
		as.pt.ClaimLeaf(base)
		as.counters.cowClaims.Add(as.writablePages(base, old.Entries()))
		return true
	}
	t, ok := arch.AllocFrame(arch.UsePageTable)
	if !ok {
		// A table more lets the process go on giving memory back: from the
		// kernel's reserve.
		if t, ok = arch.AllocFrame(arch.UseKernel); !ok {
			return false
		}
		t.SetUse(arch.UsePageTable)
	}
	copyTable(t.Entries(), old.Entries())
	as.pt.ReplaceLeaf(base, t)
	as.pt.FlushTables(base, base+arch.LeafSpan)
	as.counters.tableCopies.Add(1)
	letGo(old)
	return true
}

// nextTable returns the first leaf table from va on that lies under a VMA, and
// its first address; nil if there is none. Precondition: mu held.
func (as *AddressSpace) nextTable(va uint64) (base uint64, leaf *[512]arch.PTE) {
	for v := as.vmas.find(va); v != nil; v = v.next {
		if base, leaf = as.pt.NextLeaf(max(va, v.start), v.end); leaf != nil {
			return base, leaf
		}
	}
	return 0, nil
}

// ownRange is ownLeaf for all tables of [lo, hi).
func (as *AddressSpace) ownRange(lo, hi uint64) bool {
	for lo < hi {
		switch _, state := as.pt.Leaf(lo); state {
		case arch.LeafNone:
			base, leaf := as.pt.NextLeaf(lo, hi)
			if leaf == nil {
				return true
			}
			lo = base
			continue
		case arch.LeafShared:
			if !as.ownLeaf(lo) {
				return false
			}
		}
		lo = lo&^(arch.LeafSpan-1) + arch.LeafSpan
	}
	return true
}

// copyTable copies a shared table's entries, a reference to each frame with
// them. Private pages lose their write permission on both sides: from now on
// they have two owners. Other owners of old may be copying it, too.
func copyTable(to, old *[512]arch.PTE) {
	for i := range old {
		p := &old[i]
		e := arch.LoadPTE(p)
		if pteHasFrame(e) {
			f := e.Frame()
			if f.Use() == arch.UseAnon {
				for e.Writable() && !arch.CASPTE(p, e, e&^arch.PTEWritable) {
					e = arch.LoadPTE(p)
				}
				e &^= arch.PTEWritable
			}
			f.Ref()
		}
		to[i] = e
	}
}

// writablePages counts the private pages that become writable without a fault
// when the table at base is claimed.
func (as *AddressSpace) writablePages(base uint64, t *[512]arch.PTE) (n uint64) {
	for v := as.vmas.find(base); v != nil && v.start < base+arch.LeafSpan; v = v.next {
		if v.is(vmShared) {
			continue
		}
		lo, hi := v.span(base)
		for _, e := range t[lo:hi] {
			if e.Writable() {
				n++
			}
		}
	}
	return n
}

// releaseEntries clears the entries lo to hi of a table, drops the references
// they hold, and returns how many.
func releaseEntries(t *[512]arch.PTE, lo, hi uint64) (n uint64) {
	for i := arch.NextEntry(t, lo, hi); i < hi; i++ {
		e := t[i]
		if e == 0 {
			i = arch.NextEntry(t, i, hi) - 1
			continue
		}
		t[i] = 0
		if pteHasFrame(e) {
			e.Frame().Unref()
			n++
		}
	}
	return n
}

// letGo drops one reference to a table that is out of reach; the last one
// drops the entries' references as well.
func letGo(t arch.Frame) (n uint64) {
	if t.UnrefShared() {
		n = releaseEntries(t.Entries(), 0, 512)
		t.FreeTable()
	}
	return n
}

// dropLeaf takes a whole shared leaf table out and returns how many anonymous
// and other pages went with it. Precondition: mu held in write mode.
func (as *AddressSpace) dropLeaf(g *gather, base uint64) (anon, other int64) {
	t := as.pt.DropLeaf(base)
	for i := range t.Entries() {
		if e := arch.LoadPTE(&t.Entries()[i]); pteHasFrame(e) {
			if e.Frame().Use() == arch.UseAnon {
				anon++
			} else {
				other++
			}
		}
	}
	as.pt.FlushTables(base, base+arch.LeafSpan)
	g.nframes += letGo(t)
	return anon, other
}
