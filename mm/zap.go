package mm

import (
	arch "tamarix/arch/amd64"
)

// gather collects what is taken out of page tables: a frame may be used again
// only when no CPU can reach it through its TLB any more. So entries are
// cleared first, then one flush covers them all, then the frames are given
// back.
type gather struct {
	span    // to flush
	as      *AddressSpace
	n       int
	nframes uint64
	frames  [128]arch.Frame
}

// span is a range of addresses, the smallest that covers some pages.
type span struct{ lo, hi uint64 }

// touch adds the page at va, whose entry changed.
func (s *span) touch(va uint64) {
	if s.hi == 0 {
		s.lo, s.hi = va, va+arch.PageSize
		return
	}
	s.lo = min(s.lo, va)
	s.hi = max(s.hi, va+arch.PageSize)
}

// add takes over the reference to f that the entry for va had.
func (g *gather) add(va uint64, f arch.Frame) {
	g.touch(va)
	g.nframes++
	g.frames[g.n] = f
	if g.n++; g.n == len(g.frames) {
		g.flush()
	}
}

// flush makes the CPUs forget, then gives the frames back.
func (g *gather) flush() {
	if g.hi != 0 {
		g.as.pt.FlushRange(g.lo, g.hi)
	}
	g.lo, g.hi = 0, 0
	for _, f := range g.frames[:g.n] {
		f.Unref()
	}
	g.n = 0
}

// done flushes what is left and settles the account.
func (g *gather) done() {
	g.flush()
	g.as.counters.freed.Add(g.nframes)
	g.nframes = 0
}

// zap takes all pages of v in [lo, hi) out of the page table. Precondition:
// mu held in write mode; g.done follows before it is released.
func (as *AddressSpace) zap(g *gather, v *vma, lo, hi uint64) {
	var anon, other int64
	for lo < hi {
		base, leaf := as.pt.NextLeaf(lo, hi)
		if leaf == nil {
			break
		}
		end := min(base+arch.LeafSpan, hi)
		if _, state := as.pt.Leaf(base); state == arch.LeafShared {
			if lo <= base && end == base+arch.LeafSpan {
				a, o := as.dropLeaf(g, base)
				anon += a
				other += o
				lo = end
				continue
			}
			if !as.ownLeaf(base) {
				as.strays = true // no memory even in reserve: the pages go with the table
				lo = end
				continue
			}
			leaf = as.pt.LeafFrame(base).Entries()
		}
		first, last := (max(base, lo)-base)>>arch.PageShift, (end-base)>>arch.PageShift
		for i := arch.NextEntry(leaf, first, last); i < last; i = arch.NextEntry(leaf, i+1, last) {
			va := base + i<<arch.PageShift
			e := arch.SwapPTE(&leaf[i], 0)
			if !pteHasFrame(e) {
				g.touch(va)
				continue
			}
			f := e.Frame()
			if f.Use() == arch.UseAnon {
				anon++
			} else {
				other++
			}
			g.add(va, f)
		}
		lo = end
	}
	if anon|other == 0 {
		return
	}
	as.notePeak()
	as.rssAnon.Add(-anon)
	if other != 0 {
		as.rssOf(v.obj).Add(-other)
	}
}

// rssOf returns the counter for resident pages of o.
func (as *AddressSpace) rssOf(o *Object) *counter {
	if o != nil && o.shmem {
		return &as.rssShmem
	}
	return &as.rssFile
}

// uncount takes f, which v mapped, off the account of resident pages.
func (as *AddressSpace) uncount(v *vma, f arch.Frame) {
	if f.Use() == arch.UseAnon {
		as.rssAnon.Add(-1)
	} else {
		as.rssOf(v.obj).Add(-1)
	}
}

// rss returns the number of resident pages.
func (as *AddressSpace) rss() int64 {
	return as.rssAnon.Load() + as.rssFile.Load() + as.rssShmem.Load()
}

// notePeak records the present size as the peak if it is one. It is called
// before the size shrinks and when somebody asks, so growing costs nothing.
func (as *AddressSpace) notePeak() {
	now := as.rss()
	for {
		peak := as.peakRSS.Load()
		if now <= peak || as.peakRSS.CompareAndSwap(peak, now) {
			return
		}
	}
}

// freeTables frees page-table pages of the hole around [lo, hi), which has
// just been unmapped. Precondition: mu held in write mode.
func (as *AddressSpace) freeTables(lo, hi uint64) {
	next := as.vmas.find(lo)
	floor, ceil := uint64(0), uint64(arch.UserTop)
	if next != nil {
		ceil = next.start
		if next.prev != nil {
			floor = next.prev.end
		}
	} else if as.vmas.last != nil {
		floor = as.vmas.last.end
	}
	// Most unmappings leave neighbours in every table they touch.
	from, to := lo&^(arch.LeafSpan-1), (hi+arch.LeafSpan-1)&^(arch.LeafSpan-1)
	if from < floor {
		from += arch.LeafSpan
	}
	if to > ceil && ceil != arch.UserTop {
		to -= arch.LeafSpan
	}
	if from < to {
		as.pt.FreeTablesAround(lo, hi, floor, ceil)
	}
}

// teardown frees everything. Nobody else has a reference.
func (as *AddressSpace) teardown() {
	var dead *vma
	as.mu.Lock()
	as.pt.Abandon()
	as.notePeak()
	freed := uint64(0)
	first := as.vmas.first
	for base, leaf := as.nextTable(0); leaf != nil; base, leaf = as.nextTable(base + arch.LeafSpan) {
		for first.end <= base {
			first = first.next
		}
		if next := as.pt.DropShared(base, first.end&^(arch.LeafSpan-1)); next > base {
			base = next - arch.LeafSpan // the last one that is done
			continue
		}
		freed += as.freeLeaf(first, base)
	}
	for v := as.vmas.first; v != nil; {
		next := v.next
		if v.obj != nil {
			v.obj.dropMapping(v)
		}
		if v.obj != nil || v.backing != nil {
			v.next = dead
			dead = v
		}
		v = next
	}
	as.counters.freed.Add(freed)
	as.rssAnon.Store(0)
	as.rssFile.Store(0)
	as.rssShmem.Store(0)
	as.vmas, as.spare = vmaTree{}, nil
	as.hit.Store(nil)
	as.mu.Unlock()
	as.pt.Destroy()
	retire(as)
	release(dead)
}

// freeLeaf frees the leaf table at base, or drops a reference to one that is
// shared, and returns how many references to frames went with it. first is the
// first VMA that it shows. Precondition: the address space is dying.
func (as *AddressSpace) freeLeaf(first *vma, base uint64) (n uint64) {
	_, state := as.pt.Leaf(base)
	t := as.pt.TakeLeaf(base)
	if state == arch.LeafShared && !t.UnrefShared() {
		return 0
	}
	if state == arch.LeafShared || as.strays {
		n = releaseEntries(t.Entries(), 0, 512)
	} else {
		// Nothing is mapped outside of VMAs.
		for v := first; v != nil && v.start < base+arch.LeafSpan; v = v.next {
			lo, hi := v.span(base)
			n += releaseEntries(t.Entries(), lo, hi)
		}
	}
	t.FreeTable()
	return n
}
