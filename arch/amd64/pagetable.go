package amd64

import (
	"sync/atomic"
	"unsafe"
)

// A user address is taken apart like this (four levels, 4 KiB leaves):
//
//	 47     39 38     30 29     21 20     12 11       0
//	┌─────────┬─────────┬─────────┬─────────┬──────────┐
//	│  PML4   │  PDPT   │   PD    │   PT    │  offset  │
//	└─────────┴─────────┴─────────┴─────────┴──────────┘
const (
	leafSpan  = 512 * PageSize // what one leaf table covers: 2 MiB
	indexBits = 9
)

// kernelRoot is the root that maps the upper half only. Immutable after boot.
var kernelRoot Frame

// PageTable is the page table of one user address space. Its upper half is
// the kernel's.
//
// A table that holds tables has one reference for each of them beside its own,
// so that it is known without a look at its entries when it is empty. The
// references to a leaf table are its owners (pagetable_share.go).
//
// Any number of goroutines may call Ensure and Lookup at a
// time; freeing tables (FreeTables, Destroy) is for a caller who keeps others
// out of that range. Which entries say what is mm's business.
type PageTable struct {
	root   Frame        // immutable until Destroy
	tables atomic.Int64 // page-table frames, the root included
}

// NewPageTable makes an empty table; false if there is no memory.
func NewPageTable() (*PageTable, bool) {
	root, ok := AllocZeroFrame(UsePageTable)
	if !ok {
		return nil, false
	}
	copy(root.Words()[256:], kernelRoot.Words()[256:])
	pt := &PageTable{root: root}
	pt.tables.Store(1)
	return pt, true
}

// Root returns the physical address that goes into CR3.
func (pt *PageTable) Root() Frame { return pt.root }

// Tables returns the number of page-table frames, the root included.
func (pt *PageTable) Tables() int { return int(pt.tables.Load()) }

// entry returns the entry for va in table t of the level whose index begins
// at bit shift.
//
//go:nosplit
func entry(t Frame, va uint64, shift uint) *PTE {
	return (*PTE)(unsafe.Pointer(&t.Words()[va>>shift&511]))
}

// directory returns the table that names the leaf tables of va's gigabyte, 0 if
// there is none.
func (pt *PageTable) directory(va uint64) Frame {
	if p := pt.slot(va); p != nil {
		return frameOf(unsafe.Pointer(p)) &^ (PageSize - 1)
	}
	return 0
}

// slot returns the entry that holds the leaf table of va, nil if the tables
// above it are missing.
func (pt *PageTable) slot(va uint64) *PTE {
	if va >= UserTop {
		return nil
	}
	e := LoadPTE(entry(pt.root, va, 39))
	if !e.Present() {
		return nil
	}
	e = LoadPTE(entry(e.Frame(), va, 30))
	if !e.Present() {
		return nil
	}
	return entry(e.Frame(), va, 21)
}

// Lookup returns the leaf entry for va, nil if there is no leaf table.
func (pt *PageTable) Lookup(va uint64) *PTE {
	p, _ := pt.Leaf(va)
	return p
}

// Ensure returns the leaf entry for va, making the tables on the way; false
// if there is no memory for one. Callers may race: one table wins, the other
// is given back.
func (pt *PageTable) Ensure(va uint64) (*PTE, bool) {
	if va >= UserTop {
		return nil, false
	}
	t := pt.root
	for shift := uint(39); shift > PageShift; shift -= indexBits {
		p := entry(t, va, shift)
		e := LoadPTE(p)
		if !e.Present() {
			f, ok := AllocZeroFrame(UsePageTable)
			if !ok {
				return nil, false
			}
			e = PTE(f) | ptePresent | pteWritable | pteUser | pteAccessed
			if CASPTE(p, 0, e) {
				t.Ref()
				pt.tables.Add(1)
			} else {
				f.Unref()
				e = LoadPTE(p)
			}
		}
		t = e.Frame()
	}
	return entry(t, va, 12), true
}

// NextLeaf returns the leaf table that covers va, or the next existing one
// that begins below end, and the first address it covers. leaf is nil if
// there is none. For loops over ranges:
//
//	for base, leaf := pt.NextLeaf(lo, hi); leaf != nil; base, leaf = pt.NextLeaf(base+LeafSpan, hi)
func (pt *PageTable) NextLeaf(va, end uint64) (base uint64, leaf *[512]PTE) {
	end = min(end, UserTop)
	for va < end {
		if p := pt.slot(va); p != nil {
			if e := LoadPTE(p); e.Present() {
				return va &^ (leafSpan - 1), e.Frame().Entries()
			}
		}
		// Nothing there. Find the table that says so, and go on to its next
		// entry that is not empty, or to the next table, from the top.
		t, shift := pt.root, uint(39)
		for ; ; shift -= indexBits {
			e := LoadPTE(entry(t, va, shift))
			if !e.Present() {
				break
			}
			t = e.Frame()
		}
		i := va >> shift & 511
		last := min(512, i+(end-1)>>shift-va>>shift+1)
		va = va>>shift<<shift + (NextEntry(t.Entries(), i+1, last)-i)<<shift
	}
	return 0, nil
}

// NextEntry returns the index of the first entry of t that is not zero from i
// up to end, end if there is none. Tables are mostly empty, so it looks at
// eight at a time where it can.
func NextEntry(t *[512]PTE, i, end uint64) uint64 {
	for end = min(end, 512); i < end; i++ {
		if LoadPTE(&t[i]) != 0 {
			return i
		}
		for i&7 == 7 && i+8 < end && !AnyOf8(t, int(i+1)) {
			i += 8
		}
	}
	return end
}

// LeafSpan is the number of bytes that one leaf table covers.
const LeafSpan = leafSpan

// FreeTables frees the page-table pages that lie wholly inside [lo, hi) and
// hold nothing any more, and returns how many. Any entry but zero, present or
// not, keeps its table.
//   - Nobody else uses the range; its translations have been flushed. What the
//     CPUs have cached of the freed tables, FreeTables flushes itself.
func (pt *PageTable) FreeTables(lo, hi uint64) (n int) { return pt.FreeTablesAround(lo, hi, lo, hi) }

// FreeTablesAround is FreeTables for the tables that cover some of [lo, hi) and
// lie wholly inside [floor, ceil), the hole around it: only they can have become
// empty by an unmapping of [lo, hi).
func (pt *PageTable) FreeTablesAround(lo, hi, floor, ceil uint64) (n int) {
	dead := deadTables{floor: floor, ceil: min(ceil, UserTop)}
	n = pt.freeLevel(pt.root, 0, 39, lo, min(hi, UserTop), &dead)
	pt.reap(&dead)
	return n
}

// deadTables collects unlinked tables until the CPUs have forgotten them.
// They are chained through their first word, which is harmless: that word,
// as a table entry, is not present.
type deadTables struct {
	floor, ceil uint64 // what tables must lie inside of to be unlinked
	first       Frame
	n           int
}

// reap flushes and then frees the unlinked tables.
func (pt *PageTable) reap(d *deadTables) {
	if d.first == 0 {
		return
	}
	// One page is enough to flush the tables that the CPU has cached (SDM vol.
	// 3A, 4.10.4.1: INVLPG empties all paging-structure caches).
	pt.FlushTables(d.floor, d.floor+PageSize)
	for f := d.first; f != 0; {
		next := Frame(f.Words()[0])
		f.Words()[0] = 0
		f.freeZeroed()
		f = next
	}
	pt.tables.Add(int64(-d.n))
	d.first, d.n = 0, 0
}

// freeLevel does the work of FreeTables for table t, which covers addresses
// from base on.
func (pt *PageTable) freeLevel(t Frame, base uint64, shift uint, lo, hi uint64, dead *deadTables) (n int) {
	span := uint64(1) << shift
	i := uint64(0)
	if lo > base {
		i = (lo - base) >> shift
	}
	for ; i < 512; i++ {
		from := base + i*span
		if from >= hi {
			break
		}
		p := entry(t, from, shift)
		e := LoadPTE(p)
		if !e.Present() {
			continue
		}
		sub := e.Frame()
		if shift > 21 {
			n += pt.freeLevel(sub, from, shift-indexBits, lo, hi, dead)
		}
		// The last span below UserTop is whole even though ceil may end a page before.
		if from < dead.floor || from+span > dead.ceil && from+span < UserTop {
			continue
		}
		if shift > 21 && sub.Refs() > 1 || shift == 21 && !tableEmpty(sub) {
			continue
		}
		StorePTE(p, 0)
		t.dropEntry()
		sub.Words()[0] = uint64(dead.first)
		dead.first = sub
		dead.n++
		n++
	}
	return n
}

// tableEmpty reports whether all entries of a table are zero.
func tableEmpty(t Frame) bool { return NextEntry(t.Entries(), 0, 512) == 512 }

// FlushPage makes every CPU that uses the table forget its translation of va,
// and returns when they have.
func (pt *PageTable) FlushPage(va uint64) {
	flushRange(pt.root, va&^(PageSize-1), va|(PageSize-1), true)
}

// FlushRange is FlushPage for the pages of [lo, hi).
func (pt *PageTable) FlushRange(lo, hi uint64) {
	if lo < hi {
		flushRange(pt.root, lo&^(PageSize-1), hi-1, true)
	}
}

// FlushTables is FlushRange where leaf tables were taken out that cover [lo, hi).
// Every CPU that has the table loaded forgets them, even one without work: it
// might still walk them on its own account, and mark entries as accessed, when
// the frames have become something else.
func (pt *PageTable) FlushTables(lo, hi uint64) {
	flushRange(pt.root, lo&^(PageSize-1), hi-1, false)
}

// FlushAll is FlushRange for all user addresses.
func (pt *PageTable) FlushAll() { flushRange(pt.root, 0, ^uint64(0), true) }

// FlushPages is FlushPage for several pages, of which there is at least one.
func (pt *PageTable) FlushPages(vas []uint64) { flushPages(pt.root, vas) }

// FlushLocalPage makes this CPU forget its translation of va. Enough where an
// entry only gained rights: another CPU may take a fault for nothing, no more.
func (pt *PageTable) FlushLocalPage(va uint64) { flushLocalPage(va) }

// FlushLocalRange is FlushLocalPage for the pages of [lo, hi), or for some of
// them if they are many: the others wait for their faults.
func (pt *PageTable) FlushLocalRange(lo, hi uint64) {
	for hi = min(hi, lo+localPages*PageSize); lo < hi; lo += PageSize {
		flushLocalPage(lo)
	}
}

// localPages is up to how many pages FlushLocalRange forgets.
const localPages = 32

// AnyOf8 reports whether one of the eight entries from i on is not zero. Tables
// are mostly empty: whoever goes through a whole one asks this first.
func AnyOf8(t *[512]PTE, i int) bool {
	p := (*[8]PTE)(t[i : i+8])
	return p[0]|p[1]|p[2]|p[3]|p[4]|p[5]|p[6]|p[7] != 0
}
