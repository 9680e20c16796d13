package amd64

// The end of a page table. Its owner knows where the leaf tables are: it takes
// them out one by one, empties and frees them, and each table above goes with
// the last one below it. So nobody has to search 512 entries for the few that
// are in use, and what comes back is cleared already.

// Abandon moves CPUs that still have the root loaded to the kernel's own: the
// table will not be used any more. TakeLeaf and Destroy follow.
func (pt *PageTable) Abandon() { leaveRoot(pt.root) }

// TakeLeaf takes the leaf table of va out and returns it with its reference,
// 0 if there is none. Tables that become empty are freed.
//   - Abandon has been called.
func (pt *PageTable) TakeLeaf(va uint64) Frame {
	var path [3]*PTE // the entries on the way down
	var above [3]Frame
	t := pt.root
	for i := range path {
		above[i], path[i] = t, entry(t, va, 39-indexBits*uint(i))
		e := LoadPTE(path[i])
		if !e.Present() {
			return 0
		}
		t = e.Frame()
	}
	for i := len(path) - 1; ; i-- {
		StorePTE(path[i], 0)
		pt.tables.Add(-1)
		if i == 0 || !above[i].dropEntry() {
			if i == 0 {
				above[0].dropEntry()
			}
			return t
		}
		above[i].freeZeroed()
	}
}

// dropEntry notes that t, a table of tables, holds one less, and reports
// whether it is empty.
func (t Frame) dropEntry() (empty bool) { return t.meta().refs.Add(-1) == 1 }

// FreeTable frees a leaf table that TakeLeaf returned. All its entries are zero.
func (t Frame) FreeTable() { t.freeZeroed() }

// Destroy frees what is left of the page table. What leaf tables show must be
// gone. pt is dead then.
//   - Abandon has been called.
func (pt *PageTable) Destroy() {
	if pt.root.Refs() > 1 {
		destroyLevel(pt.root, 39, 256)
	} else {
		pt.root.Unref()
	}
	pt.tables.Store(0)
	pt.root = 0
}

// destroyLevel frees table t and what is below its first n entries.
func destroyLevel(t Frame, shift uint, n uint64) {
	if shift > PageShift {
		entries := t.Entries()
		for i := NextEntry(entries, 0, n); i < n; i = NextEntry(entries, i+1, n) {
			destroyLevel(entries[i].Frame(), shift-indexBits, 512)
		}
		t.meta().refs.Store(1)
	}
	t.Unref()
}
