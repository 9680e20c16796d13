package mm

import (
	arch "tamarix/arch/amd64"
)

// addMapping enters v into the list of VMAs that show o. Precondition: v.as.mu
// held in write mode.
func (o *Object) addMapping(v *vma) {
	o.mapMu.Lock()
	v.objPrev, v.objNext = nil, o.mappings
	if o.mappings != nil {
		o.mappings.objPrev = v
	}
	o.mappings = v
	o.mapMu.Unlock()
	o.mapped.Add(1)
}

// dropMapping takes v off the list. Precondition: v.as.mu held in write mode.
func (o *Object) dropMapping(v *vma) {
	o.mapMu.Lock()
	if v.objPrev != nil {
		v.objPrev.objNext = v.objNext
	} else {
		o.mappings = v.objNext
	}
	if v.objNext != nil {
		v.objNext.objPrev = v.objPrev
	}
	v.objPrev, v.objNext = nil, nil
	o.mapMu.Unlock()
	o.mapped.Add(-1)
}

// eachMapping calls fn for each VMA that shows pages of [lo, hi), with the
// part of its addresses that does and its address space locked for writing.
// Mappings made meanwhile may be missed: the caller has changed the Object
// first, so that their faults see the change. Precondition: no lock of mm held.
func (o *Object) eachMapping(lo, hi uint64, fn func(g *gather, v *vma, from, to uint64)) {
	if !o.Mapped() {
		return
	}
	// The address spaces first: theirs is the outer lock. A fork that was under
	// way may have copied entries into one that was not there when we looked.
	done := make(map[*AddressSpace]struct{})
	for {
		var next []*AddressSpace
		o.mapMu.Lock()
		for v := o.mappings; v != nil; v = v.objNext {
			if _, ok := done[v.as]; !ok && v.as.tryRef() {
				done[v.as] = struct{}{}
				next = append(next, v.as)
			}
		}
		o.mapMu.Unlock()
		if len(next) == 0 {
			return
		}
		for _, as := range next {
			as.eachMapping(o, lo, hi, fn)
			as.Unref()
		}
	}
}

// eachMapping is Object.eachMapping for one address space.
func (as *AddressSpace) eachMapping(o *Object, lo, hi uint64, fn func(g *gather, v *vma, from, to uint64)) {
	as.mu.Lock()
	defer as.mu.Unlock()
	g := gather{as: as}
	o.mapMu.Lock()
	for v := o.mappings; v != nil; v = v.objNext {
		if v.as != as || v.pgoff >= hi || v.pgoff+v.pages() <= lo {
			continue
		}
		from, to := v.start, v.end
		if lo > v.pgoff {
			from += (lo - v.pgoff) << arch.PageShift
		}
		if v.pgoff+v.pages() > hi {
			to = v.start + (hi-v.pgoff)<<arch.PageShift
		}
		fn(&g, v, from, to)
	}
	o.mapMu.Unlock()
	g.done()
}

// unmap takes the pages [lo, hi) out of all page tables, private copies of
// them included.
func (o *Object) unmap(lo, hi uint64) {
	o.eachMapping(lo, hi, func(g *gather, v *vma, from, to uint64) {
		v.as.zap(g, v, from, to)
	})
}

// protect makes the pages [lo, hi) read-only in all shared mappings, so that
// the next write to one marks it dirty again.
func (o *Object) protect(lo, hi uint64) {
	o.eachMapping(lo, hi, func(g *gather, v *vma, from, to uint64) {
		if !v.is(vmShared) {
			return
		}
		if !v.as.ownRange(from, to) {
			return // stays writable and counts as dirty for ever; no harm but needless writes
		}
		v.as.eachEntry(from, to, func(va uint64, p *arch.PTE, e arch.PTE) {
			for e.Writable() && !arch.CASPTE(p, e, e&^arch.PTEWritable) {
				e = arch.LoadPTE(p)
			}
			g.touch(va)
		})
	})
}

// eachEntry calls fn for each entry of [lo, hi) that is not empty.
// Precondition: mu held.
func (as *AddressSpace) eachEntry(lo, hi uint64, fn func(va uint64, p *arch.PTE, e arch.PTE)) {
	for lo < hi {
		base, leaf := as.pt.NextLeaf(lo, hi)
		if leaf == nil {
			return
		}
		end := min(base+arch.LeafSpan, hi)
		first, last := (max(base, lo)-base)>>arch.PageShift, (end-base)>>arch.PageShift
		for i := arch.NextEntry(leaf, first, last); i < last; i = arch.NextEntry(leaf, i+1, last) {
			p := &leaf[i]
			fn(base+i<<arch.PageShift, p, arch.LoadPTE(p))
		}
		lo = end
	}
}

// Sync writes dirty pages back; a nil error if there is no Pager.
func (o *Object) Sync() error { return o.SyncRange(0, 1<<63-1) }

// SyncRange writes the dirty pages of the n bytes at off back.
func (o *Object) SyncRange(off, n int64) error {
	if o.pager == nil || n <= 0 {
		return nil
	}
	lo, hi := uint64(off)>>arch.PageShift, pagesOf(addCap(off, n))
	o.protect(lo, hi)
	var first error
	for _, idx := range o.dirtyPages(lo, hi) {
		f, ok := o.Lookup(idx)
		if !ok {
			continue
		}
		if f.ClearFlag(frameDirty)&frameDirty != 0 {
			if err := o.pager.WritePage(idx, f); err != nil {
				f.SetFlag(frameDirty)
				if first == nil {
					first = err
				}
			}
		}
		f.Unref()
	}
	return first
}

// dirtyPages lists the dirty pages in [lo, hi).
func (o *Object) dirtyPages(lo, hi uint64) []uint64 {
	var list []uint64
	add := func(idx uint64, f arch.Frame) {
		if f != 0 && idx >= lo && idx < hi && f.Flags()&frameDirty != 0 {
			list = append(list, idx)
		}
	}
	o.mu.RLock()
	defer o.mu.RUnlock()
	for i, f := range o.small {
		add(uint64(i), f)
	}
	for k, c := range o.chunks.all() {
		for i, f := range c.frames {
			add(k*chunkPages+uint64(i), f)
		}
	}
	return list
}
