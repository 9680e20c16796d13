package info

// Regions are collected as the loader and the firmware tell them, in any order
// and on top of each other, and then flattened by normalise: sorted, disjoint,
// neighbours of one kind merged. From then on the map only changes by regions
// that are cut out of usable memory.

// add notes a region as it is told.
func (b *Boot) add(start, size uint64, k Kind) {
	if size == 0 {
		return
	}
	end := start + size
	if end < start {
		end = ^uint64(0)
	}
	if n := b.nMemory; n > 0 && b.memory[n-1].Kind == k && b.memory[n-1].End == start {
		b.memory[n-1].End = end
		return
	}
	if b.nMemory < maxRegions {
		b.memory[b.nMemory] = Region{Range{start, end}, k}
		b.nMemory++
		return
	}
	b.Dropped++
	if k != Usable {
		b.coverWith(start, end)
	}
}

// coverWith makes memory unusable when there is no room to note it: the nearest
// region that is not usable grows over it, and over all between the two. That
// wastes memory, and is safe.
func (b *Boot) coverWith(start, end uint64) {
	var best *Region
	least := ^uint64(0)
	for i := range b.memory[:b.nMemory] {
		r := &b.memory[i]
		if r.Kind == Usable {
			continue
		}
		distance := uint64(0)
		if r.End < start {
			distance = start - r.End
		} else if end < r.Start {
			distance = r.Start - end
		}
		if best == nil || distance < least {
			best, least = r, distance
		}
	}
	if best == nil { // all are usable: the last one is given up
		b.memory[b.nMemory-1] = Region{Range{start, end}, Reserved}
		return
	}
	best.Start, best.End = min(best.Start, start), max(best.End, end)
}

// rank orders kinds: where regions overlap, the one of the highest rank counts.
func (k Kind) rank() int {
	switch k {
	case Usable:
		return 0
	case ACPIReclaim:
		return 1
	case Reserved:
		return 3
	case Runtime:
		return 4
	case ACPINVS:
		return 5
	case Unusable:
		return 6
	}
	return 2
}

// normalise sorts the map and makes it disjoint. It goes from one boundary of
// any region to the next and asks each time which kind counts there.
func (b *Boot) normalise() {
	n := 0
	for at, more := b.boundary(0, true); more; {
		next, ok := b.boundary(at, false)
		kind, covered := b.kindAt(at)
		if ok && covered {
			switch {
			case n > 0 && b.flat[n-1].Kind == kind && b.flat[n-1].End == at:
				b.flat[n-1].End = next
			case n < maxRegions:
				b.flat[n] = Region{Range{at, next}, kind}
				n++
			default: // what is not in the map is not used
				b.Dropped++
			}
		}
		at, more = next, ok
	}
	b.nMemory = copy(b.memory[:], b.flat[:n])
}

// boundary returns the lowest start or end of a region above at; or, if itself
// is set, at or above it.
func (b *Boot) boundary(at uint64, itself bool) (next uint64, ok bool) {
	for _, r := range b.memory[:b.nMemory] {
		for _, a := range [...]uint64{r.Start, r.End} {
			if (a > at || itself && a == at) && (!ok || a < next) {
				next, ok = a, true
			}
		}
	}
	return next, ok
}

func (b *Boot) kindAt(at uint64) (k Kind, covered bool) {
	for _, r := range b.memory[:b.nMemory] {
		if r.Start <= at && at < r.End && (!covered || r.Kind.rank() > k.rank()) {
			k, covered = r.Kind, true
		}
	}
	return k, covered
}

// Exclude takes memory out of what is usable: it is of kind k from now on. The
// rest of the map stays as it is.
func (b *Boot) Exclude(start, end uint64, k Kind) {
	for i := 0; i < b.nMemory && start < end; i++ {
		r := &b.memory[i]
		if r.Kind != Usable || r.End <= start || end <= r.Start {
			continue
		}
		old, low, high := *r, max(r.Start, start), min(r.End, end)
		r.Start, r.End, r.Kind = low, high, k
		if old.Start < low {
			i += b.insert(i, Region{Range{old.Start, low}, Usable})
		}
		if high < old.End {
			i += b.insert(i+1, Region{Range{high, old.End}, Usable})
		}
	}
	// Neighbours of one kind become one.
	n := 0
	for _, r := range b.memory[:b.nMemory] {
		if n > 0 && b.memory[n-1].Kind == r.Kind && b.memory[n-1].End == r.Start {
			b.memory[n-1].End = r.End
			continue
		}
		b.memory[n] = r
		n++
	}
	b.nMemory = n
}

// insert puts a region at place i and returns 1, or counts it as dropped.
func (b *Boot) insert(i int, r Region) int {
	if b.nMemory == maxRegions {
		b.Dropped++
		return 0
	}
	copy(b.memory[i+1:b.nMemory+1], b.memory[i:b.nMemory])
	b.memory[i] = r
	b.nMemory++
	return 1
}

// Covered reports whether all memory from start to end is there for the kernel
// to use, or would be but for "mem=".
func (b *Boot) Covered(start, end uint64) bool {
	for _, r := range b.Memory() { // sorted
		if r.Start <= start && start < r.End && (r.Kind == Usable || r.Kind == Clipped) {
			start = r.End
		}
	}
	return start >= end
}

// Reserve takes the memory from start to end out of what NextFree returns.
// It reports whether there was room to note it.
func (b *Boot) Reserve(start, end uint64) bool {
	if end <= start {
		return true
	}
	if n := b.nReserve; n > 0 && b.reserved[n-1].End == start {
		b.reserved[n-1].End = end
		return true
	}
	if b.nReserve == maxReserved {
		b.Dropped++
		return false
	}
	b.reserved[b.nReserve] = Range{start, end}
	b.nReserve++
	return true
}

// NextFree returns the first run of free whole pages at or above after: usable
// memory without what is reserved. ok is false when there is none.
func (b *Boot) NextFree(after uint64) (start, end uint64, ok bool) {
	for _, r := range b.Memory() { // sorted
		if r.Kind != Usable {
			continue
		}
		start, end = pageUp(max(after, r.Start)), r.End&^(PageSize-1)
		for stepped := true; stepped && start < end; {
			stepped = false
			for _, o := range b.ReservedRanges() {
				if o.Start&^(PageSize-1) <= start && start < o.End {
					start = pageUp(o.End)
					stepped = true
				}
			}
		}
		for _, o := range b.ReservedRanges() {
			if o.Start > start && o.Start < end {
				end = o.Start &^ (PageSize - 1)
			}
		}
		if start < end {
			return start, end, true
		}
	}
	return 0, 0, false
}

// Carve reserves size bytes of free memory, aligned to a page and wholly below
// limit, and returns its physical address.
func (b *Boot) Carve(size, limit uint64) (uint64, error) {
	size = pageUp(size)
	for after := uint64(PageSize); ; {
		start, end, ok := b.NextFree(after)
		if !ok || start >= limit {
			return 0, ErrNoSpace
		}
		if end = min(end, limit); end-start >= size && b.Reserve(start, start+size) {
			return start, nil
		}
		after = end
	}
}

// CarveRecords reserves memory for records of all pages from address 0 on to the end
// of usable memory, size bytes for each, and returns its physical address and that
// end. Memory that is smaller than the records it takes to reach it, because it lies
// far above the rest, becomes one of kind Beyond; so does the highest memory as long
// as there is no room for the records.
func (b *Boot) CarveRecords(size uint64) (pa, top uint64, err error) {
	for {
		var last Range
		below := uint64(0)   // the end of the usable memory before it
		largest := uint64(0) // region: no use to search for more
		for _, r := range b.Memory() {
			if r.Kind == Usable {
				below, last = last.End, r.Range
				largest = max(largest, r.End-r.Start)
			}
		}
		all, pages := last.End/PageSize*size, last.End/PageSize-below/PageSize
		if below == 0 || pages*size < last.End-last.Start && all <= largest {
			pa, err = b.Carve(all, ^uint64(0))
			if err == nil || below == 0 {
				return pa, last.End, err
			}
		}
		b.complain("memory is not used: the kernel's records of it would be too large", last.Start, last.End)
		b.Exclude(last.Start, last.End, Beyond)
	}
}

// UsableTop returns the end of the highest usable memory.
func (b *Boot) UsableTop() (top uint64) {
	for _, r := range b.Memory() {
		if r.Kind == Usable {
			top = r.End
		}
	}
	return top
}

// UsableSize returns how much usable memory there is, in bytes.
func (b *Boot) UsableSize() (n uint64) {
	for _, r := range b.Memory() {
		if r.Kind == Usable {
			n += r.End - r.Start
		}
	}
	return n
}

// Top returns the end of the highest region that is memory, whether usable or
// not, below limit, and so how far a map of all memory has to reach.
func (b *Boot) Top(limit uint64) (top uint64) {
	b.eachMapped(func(r Range) bool {
		if r.Start < limit {
			top = min(r.End, limit)
		}
		return r.Start < limit
	})
	return top
}

// HasMemory reports whether any memory, usable or not, lies between start and end,
// and so whether a map of all memory has to have that. The first MiB counts as
// memory: it has what a BIOS leaves for a kernel to find.
func (b *Boot) HasMemory(start, end uint64) (has bool) {
	if start < 1<<20 && start < end {
		return true
	}
	b.eachMapped(func(r Range) bool {
		has = r.Start < end && start < r.End
		return !has && r.End <= start
	})
	return has
}

// eachMapped calls f for each region that is memory, in order, until it returns
// false.
func (b *Boot) eachMapped(f func(r Range) bool) {
	top := uint64(0)
	for _, r := range b.Memory() { // sorted
		switch r.Kind {
		case Usable, Clipped, ACPIReclaim, ACPINVS, Runtime:
		case Reserved:
			// Firmware keeps tables in reserved memory right above the
			// rest. A large one is the address space of devices.
			if r.Start > top || r.End-r.Start > maxTables {
				continue
			}
		default:
			continue
		}
		if top = r.End; !f(r.Range) {
			return
		}
	}
}

// maxTables is more memory than firmware's tables take.
const maxTables = 1 << 30

// clip makes usable memory at or above limit one of kind k.
func (b *Boot) clip(limit uint64, k Kind) { b.Exclude(limit, ^uint64(0), k) }

// pageUp rounds up to a page, at most to the last one.
func pageUp(a uint64) uint64 {
	if a > ^uint64(PageSize-1) {
		return ^uint64(PageSize - 1)
	}
	return (a + PageSize - 1) &^ (PageSize - 1)
}
