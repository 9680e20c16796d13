package mm

import (
	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// vmaFlags are the properties of a VMA that decide whether two neighbours may
// be one.
type vmaFlags uint32

const (
	vmShared     vmaFlags = 1 << iota // MAP_SHARED
	vmGrowsDown                       // MAP_GROWSDOWN: a stack
	vmNoReserve                       // MAP_NORESERVE
	vmLocked                          // mlock(2)
	vmLockFault                       // MLOCK_ONFAULT: locked as pages come in
	vmDontFork                        // MADV_DONTFORK
	vmWipeOnFork                      // MADV_WIPEONFORK
	vmDontDump                        // MADV_DONTDUMP
	vmSeqRead                         // MADV_SEQUENTIAL
	vmRandRead                        // MADV_RANDOM
	vmHugePage                        // MADV_HUGEPAGE, accepted and remembered
	vmNoHugePage                      // MADV_NOHUGEPAGE
	vmMergeable                       // MADV_MERGEABLE, accepted and remembered
)

// vma is a run of pages with one protection and one origin
// (vm_area_struct). All fields are guarded by the address space's mu; they
// change only under it in write mode. The links to other VMAs of the same
// Object are guarded by that Object's mapMu.
type vma struct {
	start, end uint64 // page-aligned, [start, end)
	flags      vmaFlags
	prot       uint8     // unix.PROT_READ|WRITE|EXEC
	maxProt    uint8     // what mprotect may give
	pteProt    arch.Prot // prot as page tables know it

	obj     *Object // nil: anonymous private memory
	pgoff   uint64  // index in obj of the page at start; for anonymous private memory where it was born, in pages
	backing Backing // open file, for its name and life; may be nil
	name    string

	as *AddressSpace // immutable

	// Place in the AddressSpace's tree and list.
	left, right *vma
	prev, next  *vma
	height      int32
	maxGap      uint64 // largest hole below a VMA of this subtree

	// Place in obj's list of mappings; guarded by obj.mapMu.
	objPrev, objNext *vma
}

func (v *vma) pages() uint64 { return (v.end - v.start) >> arch.PageShift }

func (v *vma) is(f vmaFlags) bool { return v.flags&f != 0 }

// index returns the page of obj that addr shows.
func (v *vma) index(addr uint64) uint64 {
	return v.pgoff + (addr-v.start)>>arch.PageShift
}

// gap is the hole below v.
func (v *vma) gap() uint64 {
	if v.prev == nil {
		return v.start
	}
	return v.start - v.prev.end
}

// setProt changes the protection and its page-table form together.
func (v *vma) setProt(prot uint8) {
	v.prot = prot
	v.pteProt = archProt(prot)
}

func archProt(prot uint8) arch.Prot {
	var p arch.Prot
	if prot&unix.PROT_READ != 0 {
		p |= arch.ProtRead
	}
	if prot&unix.PROT_WRITE != 0 {
		p |= arch.ProtWrite | arch.ProtRead
	}
	if prot&unix.PROT_EXEC != 0 {
		p |= arch.ProtExec | arch.ProtRead
	}
	return p
}

// sameKind reports whether w could be the continuation of v but for the place.
func (v *vma) sameKind(w *vma) bool {
	return v.flags == w.flags && v.prot == w.prot && v.maxProt == w.maxProt &&
		v.obj == w.obj && v.backing == w.backing && v.name == w.name
}

// canFollow reports whether w, which starts where v ends, continues v: same
// kind and, for objects, the next page. Anonymous private memory has no offset
// that anybody could see.
func (v *vma) canFollow(w *vma) bool {
	return v.end == w.start && v.sameKind(w) && v.flags&vmGrowsDown == 0 &&
		(v.obj == nil || v.pgoff+v.pages() == w.pgoff)
}

// accountable reports whether the VMA may need memory of its own
// (is_data_mapping of Linux's mm/mmap.c: private, writable, no stack).
func (v *vma) isData() bool {
	return v.prot&unix.PROT_WRITE != 0 && v.flags&(vmShared|vmGrowsDown) == 0
}

func (v *vma) isStack() bool { return v.flags&vmGrowsDown != 0 }

func (v *vma) isExec() bool {
	return v.prot&(unix.PROT_EXEC|unix.PROT_WRITE) == unix.PROT_EXEC && !v.isStack()
}
