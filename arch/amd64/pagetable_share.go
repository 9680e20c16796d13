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

// ShareLeaves gives child the leaf tables of [lo, hi), whole ones, too, and
// write-protects them in both, as far as they are shared already or want says
// so. It returns where the first begins that is not, or hi, and how many it has
// shared; changed tells that pt could write through one before: the caller
// flushes. ok is false if there is no memory for the tables above them.
//   - Nobody else uses either table there; child has no leaf tables there.
func (pt *PageTable) ShareLeaves(child *PageTable, lo, hi uint64, want func(leaf *[512]PTE) bool) (next uint64, n int, changed, ok bool) {
	for lo < hi {
		limit := min(hi, (lo|(1<<30-1))+1)
		from, to := pt.directory(lo), Frame(0)
		if from == 0 {
			lo = limit
			continue
		}
		had := n
		for ok = true; lo < limit; lo += leafSpan {
			p := entry(from, lo, 21)
			e := LoadPTE(p)
			if !e.Present() {
				continue
			}
			if e.Writable() && !want(e.Frame().Entries()) {
				break
			}
			if to == 0 {
				if to, ok = child.ensureDirectory(lo); !ok {
					break
				}
			}
			for e.Writable() && !CASPTE(p, e, e&^pteWritable) {
				e = LoadPTE(p) // the CPU set accessed
			}
			changed = changed || e.Writable()
			e.Frame().Ref()
			StorePTE(entry(to, lo, 21), e&^pteWritable)
			n++
		}
		if n > had {
			to.meta().refs.Add(int32(n - had))
			child.tables.Add(int64(n - had))
		}
		if lo < limit {
			return lo, n, changed, ok
		}
	}
	return lo, n, changed, true
}

// DropShared takes the leaf tables of [lo, hi) out, as far as other page tables
// share them, and returns where it stopped: at the first that is this one's
// alone, or in a gigabyte that has no leaf tables.
//   - Abandon has been called.
func (pt *PageTable) DropShared(lo, hi uint64) (next uint64) {
	for lo < hi {
		dir := pt.directory(lo)
		if dir == 0 {
			return lo
		}
		n := 0
		limit := min(hi, (lo|(1<<30-1))+1)
		for ; lo < limit; lo += leafSpan {
			p := entry(dir, lo, 21)
			e := LoadPTE(p)
			if !e.Present() {
				continue
			}
			// The last one is for TakeLeaf, which frees the tables above too.
			if e.Writable() || dir.Refs() == int32(n)+2 || e.Frame().UnrefShared() {
				break
			}
			StorePTE(p, 0)
			n++
		}
		dir.meta().refs.Add(int32(-n))
		pt.tables.Add(int64(-n))
		if lo < limit {
			break
		}
	}
	return lo
}

// ensureDirectory is directory that makes it; false if there is no memory.
//   - Nobody else changes pt.
func (pt *PageTable) ensureDirectory(va uint64) (Frame, bool) {
	t := pt.root
	for shift := uint(39); shift > 21; shift -= indexBits {
		p := entry(t, va, shift)
		e := LoadPTE(p)
		if !e.Present() {
			f, ok := AllocZeroFrame(UsePageTable)
			if !ok {
				return 0, false
			}
			e = PTE(f) | ptePresent | pteWritable | pteUser | pteAccessed
			StorePTE(p, e)
			t.Ref()
			pt.tables.Add(1)
		}
		t = e.Frame()
	}
	return t, true
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
