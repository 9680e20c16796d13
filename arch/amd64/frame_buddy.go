package amd64

import "unsafe"

// The buddy allocator: blocks of 2^order pages, each aligned to its size. A
// free block's first page holds its links; its record says metaHead and the
// order. Freeing joins a block with its buddy as long as that is free too.
//
// Everything here may run in trap context: it touches only the records and
// free pages, which are always mapped, allocates nothing and calls nothing
// that could split a stack.

// maxUntouched is how many ranges of free memory boot information may have.
// What is beyond goes to the lists at once.
const maxUntouched = 32

// maxOrder is the largest block: 2^10 pages, 4 MiB.
const maxOrder = 10

var buddy struct {
	lock spinlock // leaf; guards everything below, and the records of free blocks
	head [maxOrder + 1]Frame
	free uint64 // pages on the lists and in the untouched ranges

	// untouched are ranges that no list holds yet. A list's links lie in the
	// free pages themselves, so to list all memory at boot would touch all of
	// it: in a virtual machine, that makes the host find memory for it. The
	// lowest are used up first: some things must lie below 4 GiB.
	untouched      [maxUntouched]struct{ start, end uint64 }
	firstUntouched int
	nUntouched     int

	// reserve is how many pages user uses leave alone. Set once at boot.
	reserve uint64
}

// freeLinks lies in the first bytes of a free block.
type freeLinks struct{ next, prev Frame }

//go:nosplit
func (f Frame) links() *freeLinks { return (*freeLinks)(physPointer(uint64(f))) }

// push puts a block on its list.
//   - buddy.lock is held.
//
//go:nosplit
func buddyPush(f Frame, order uint32) {
	l := f.links()
	l.prev, l.next = 0, buddy.head[order]
	if l.next != 0 {
		l.next.links().prev = f
	}
	buddy.head[order] = f
	f.meta().word.Store(metaHead | order<<metaOrderShift)
	buddy.free += 1 << order
}

// buddyRemove takes a block off its list.
//   - buddy.lock is held.
//
//go:nosplit
func buddyRemove(f Frame, order uint32) {
	l := f.links()
	if l.prev != 0 {
		l.prev.links().next = l.next
	} else {
		buddy.head[order] = l.next
	}
	if l.next != 0 {
		l.next.links().prev = l.prev
	}
	f.meta().word.Store(0)
	buddy.free -= 1 << order
}

// buddyTake returns a block of 2^order pages, 0 if there is none.
//   - buddy.lock is held.
//
//go:nosplit
func buddyTake(order uint32) Frame {
	o := order
	for buddy.head[o] == 0 {
		if o++; o > maxOrder {
			if !buddyTouch() {
				return 0
			}
			o = order
		}
	}
	f := buddy.head[o]
	buddyRemove(f, o)
	for o > order {
		o--
		buddyPush(f+PageSize<<o, o)
	}
	return f
}

// buddyTouch lists the next block of an untouched range; false if there is none.
//   - buddy.lock is held.
//
//go:nosplit
func buddyTouch() bool {
	if buddy.firstUntouched == buddy.nUntouched {
		return false
	}
	r := &buddy.untouched[buddy.firstUntouched]
	o := uint32(0)
	for o < maxOrder && r.start&(PageSize<<o) == 0 && r.start+PageSize<<(o+1) <= r.end {
		o++
	}
	f := Frame(r.start)
	if r.start += PageSize << o; r.start >= r.end {
		buddy.firstUntouched++
	}
	buddy.free -= 1 << o
	buddyGive(f, o)
	return true
}

// buddyGive returns a block.
//   - buddy.lock is held.
//
//go:nosplit
func buddyGive(f Frame, order uint32) {
	for order < maxOrder {
		b := f ^ PageSize<<order
		if uint64(b>>PageShift) >= frameCount {
			break
		}
		if b.meta().word.Load() != metaHead|order<<metaOrderShift {
			break
		}
		buddyRemove(b, order)
		f &= b
		order++
	}
	buddyPush(f, order)
}

// AllocPages returns 2^order contiguous pages, aligned to their size, each
// with one reference. Content undefined. Freed page by page, by Unref.
//
//go:nosplit
func AllocPages(order int, u FrameUse) (Frame, bool) {
	if order < 0 || order > maxOrder {
		return 0, false
	}
	s := pin()
	lock(&buddy.lock)
	var f Frame
	if u <= UseKernel || buddy.free >= buddy.reserve+1<<order {
		f = buddyTake(uint32(order))
	}
	unlock(&buddy.lock)
	if f != 0 {
		thisCPU().frames.used[u] += 1 << order
	}
	unpin(s)
	if f == 0 {
		return 0, false
	}
	buddyClaim(f, order, u)
	return f, true
}

// buddyClaim gives each page of a block just taken one reference.
//
//go:nosplit
func buddyClaim(f Frame, order int, u FrameUse) {
	for i := Frame(0); i < 1<<order; i++ {
		m := (f + i<<PageShift).meta()
		m.word.Store(uint32(u) << metaUseShift)
		m.refs.Store(1)
	}
}

// ReleaseReserved gives memory that the boot information had reserved (a boot
// module that has been unpacked, an unused part of the image) to the allocator.
// start and end are physical; only whole pages inside are given.
func ReleaseReserved(start, end uint64) (pages uint64) {
	start = (start + PageSize - 1) &^ (PageSize - 1)
	for f := Frame(start); uint64(f)+PageSize <= end && f.Valid(); f += PageSize {
		m := f.meta()
		if f == 0 || FrameUse(m.word.Load()>>metaUseShift) != UseReserved {
			continue
		}
		s := pin()
		lock(&buddy.lock)
		buddyGive(f, 0)
		framesKept--
		unlock(&buddy.lock)
		unpin(s)
		pages++
	}
	return pages
}

// frameAddRange gives a free range to the allocator at boot.
//   - Only the boot CPU runs.
func frameAddRange(start, end uint64) {
	if start >= end {
		return
	}
	if buddy.nUntouched == maxUntouched {
		for buddyTouch() {
		}
		buddy.firstUntouched, buddy.nUntouched = 0, 0
	}
	buddy.untouched[buddy.nUntouched].start = start
	buddy.untouched[buddy.nUntouched].end = end
	buddy.nUntouched++
	buddy.free += (end - start) >> PageShift
}

// frameTableSize is the size in bytes of the records for memory below top.
func frameTableSize(top uint64) uint64 { return (top >> PageShift) * frameMetaSize }

// frameTableInit makes every frame reserved. table holds anything: firmware, the
// loader or the memory test may have written to that memory.
func frameTableInit(table unsafe.Pointer, top uint64) {
	frameTable, frameCount = table, top>>PageShift
	clear(unsafe.Slice((*byte)(table), frameTableSize(top)))
	for f := Frame(0); f < Frame(top&^(PageSize-1)); f += PageSize {
		f.meta().word.Store(uint32(UseReserved) << metaUseShift)
	}
}

// KernelRoom reports whether at least half of the reserve is left: while it is,
// system calls that make the kernel's heap grow may be admitted.
func KernelRoom() bool { return peek(&buddy.free) >= buddy.reserve/2 }

// setReserve keeps a sixteenth of memory, at most 64 MiB, for the kernel: its
// heap must not run out because of what users do.
func setReserve() { buddy.reserve = min(buddy.free/16, 64<<20>>PageShift) }
