package amd64

import "unsafe"

// Shared leaf tables. After a fork, two page tables may show the same leaf
// table: each of them is one reference to its frame, and both have it
// write-protected one level up, so that none of its entries can be written
// through. Whoever wants to change an entry first makes the table its own. What
// the entries mean, and the references they hold, is mm's business.

// LeafState says whether the leaf table of an address may be changed.
type LeafState uint8

const (
	LeafOwned  LeafState = iota // it may
	LeafShared                  // write-protected: make it one's own first
	LeafNone                    // there is none
)

// Leaf returns the leaf entry for va and whether it may be changed.
func (pt *PageTable) Leaf(va uint64) (*PTE, LeafState) {
	p := pt.slot(va)
	if p == nil {
		return nil, LeafNone
	}
	e := LoadPTE(p)
	if !e.Present() {
		return nil, LeafNone
	}
	s := LeafOwned
	if !e.Writable() {
		s = LeafShared
	}
	return entry(e.Frame(), va, PageShift), s
}

// LeafFrame returns the frame of the leaf table for va, 0 if there is none.
func (pt *PageTable) LeafFrame(va uint64) Frame {
	if p := pt.slot(va); p != nil {
		if e := LoadPTE(p); e.Present() {
			return e.Frame()
		}
	}
	return 0
}

// Entries returns a leaf table's entries.
func (f Frame) Entries() *[512]PTE { return (*[512]PTE)(unsafe.Pointer(f.Words())) }

// ShareLeaf gives child the leaf table of va, too, and write-protects it in
// both; false if there is no memory for the tables above it. changed tells
// that pt could write through it before: the caller flushes.
//   - Nobody else uses either table at va; child has no leaf table there.
func (pt *PageTable) ShareLeaf(child *PageTable, va uint64) (changed, ok bool) {
	to, above, ok := child.ensureSlot(va)
	if !ok {
		return false, false
	}
	p := pt.slot(va)
	e := LoadPTE(p)
	for e.Writable() && !CASPTE(p, e, e&^pteWritable) {
		e = LoadPTE(p) // the CPU set accessed
	}
	e.Frame().Ref()
	StorePTE(to, e&^pteWritable)
	above.Ref()
	child.tables.Add(1)
	return e.Writable(), true
}

// ensureSlot is slot that makes the tables above the leaf, and returns the
// lowest of them too.
//   - Nobody else changes pt.
func (pt *PageTable) ensureSlot(va uint64) (p *PTE, above Frame, ok bool) {
	t := pt.root
	for shift := uint(39); shift > 21; shift -= indexBits {
		p := entry(t, va, shift)
		e := LoadPTE(p)
		if !e.Present() {
			f, ok := AllocZeroFrame(UsePageTable)
			if !ok {
				return nil, 0, false
			}
			e = PTE(f) | ptePresent | pteWritable | pteUser | pteAccessed
			StorePTE(p, e)
			t.Ref()
			pt.tables.Add(1)
		}
		t = e.Frame()
	}
	return entry(t, va, 21), t, true
}

// ClaimLeaf makes the leaf table of va writable again, for its last owner.
func (pt *PageTable) ClaimLeaf(va uint64) {
	p := pt.slot(va)
	for e := LoadPTE(p); !CASPTE(p, e, e|pteWritable); {
		e = LoadPTE(p)
	}
}

// ReplaceLeaf puts table t, whose reference it takes over, in the place of the
// leaf table of va and returns the old one with its reference. The caller
// flushes before it lets go of that.
func (pt *PageTable) ReplaceLeaf(va uint64, t Frame) (old Frame) {
	p := pt.slot(va)
	return SwapPTE(p, PTE(t)|ptePresent|pteWritable|pteUser|pteAccessed).Frame()
}

// DropLeaf takes the leaf table of va out and returns it with its reference.
// The caller flushes before it lets go of that. The tables above stay.
func (pt *PageTable) DropLeaf(va uint64) Frame {
	pt.tables.Add(-1)
	t := LoadPTE(entry(LoadPTE(entry(pt.root, va, 39)).Frame(), va, 30)).Frame()
	leaf := SwapPTE(entry(t, va, 21), 0).Frame()
	t.dropEntry()
	return leaf
}

// UnrefShared drops a reference unless it is the last, and reports whether it
// is: the caller then owns the frame alone, with the reference.
func (f Frame) UnrefShared() (last bool) {
	m := f.meta()
	for {
		n := m.refs.Load()
		if n == 1 {
			return true
		}
		if m.refs.CompareAndSwap(n, n-1) {
			return false
		}
	}
}
