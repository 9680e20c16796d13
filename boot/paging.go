//go:build tamarix

package main

import (
	"unsafe"

	"tamarix/boot/info"
)

// More bits of page-table entries, Intel SDM volume 3A, 4.5.
const (
	large    = 1 << 7
	uncached = 3 << 3 // PWT and PCD

	addrMask  = 0x000f_ffff_ffff_f000
	largeSize = 2 << 20
	dirSize   = 1 << 30 // what one page directory maps
)

type table [512]uint64

// at returns the page table at a physical address.
func at(phys uint64) *table {
	return (*table)(unsafe.Pointer(uintptr(info.DirectMap + phys&addrMask)))
}

// pool hands out the pages of one physical range, cleared.
type pool struct{ next, end uint64 }

func (p *pool) get() uint64 {
	a := p.next
	if a == p.end {
		fail(info.ErrNoSpace) // a wrong count in mapMemory
	}
	p.next += pageSize
	*at(a) = table{}
	return a
}

const (
	errOccupied info.Error = "the memory at 16 MiB, where the kernel lies, belongs to the firmware"
	errModule   info.Error = "the loader put a module where the kernel lies"
)

// mapScreen maps the framebuffer, uncached, in the first page tables, so that
// what goes wrong from here on is seen. It returns up to which physical address
// a framebuffer can be reached through the direct map: 4 GiB, and more if this
// one lies higher.
func mapScreen(b *info.Boot) uint64 {
	f := &b.Framebuffer
	if f.Kind != info.RGB {
		return 4 << 30
	}
	start, end := f.Address&^(largeSize-1), f.Address+f.Size()
	base := (uint64(uintptr(unsafe.Pointer(&tableSpace))) - info.DirectMap + pageSize - 1) &^ (pageSize - 1)
	pdpt, spare := at(base+pageSize), base+6*pageSize
	reach := uint64(4 << 30)
	if end > reach {
		if end > info.MaxMemory || start/dirSize != (end-1)/dirSize || start < reach {
			return reach
		}
		reach = info.MaxMemory
		pdpt[start/dirSize] = spare | writable | present
	}
	for a := start; a < end; a += largeSize {
		at(pdpt[a/dirSize])[a/largeSize%512] = a | large | uncached | writable | present
	}
	reload(uintptr(base))
	return reach
}

// onScreen reports whether a page of 2 MiB that is no memory holds a part of the
// framebuffer.
func onScreen(b *info.Boot, a uint64) bool {
	f := &b.Framebuffer
	return f.Kind == info.RGB && a+largeSize > f.Address && a < f.Address+f.Size()
}

// mapMemory turns the first page tables into the ones that stay: all memory
// from info.DirectMap on in pages of 2 MiB, writable and not executable, and no
// page without any memory, where devices may be; the kernel's image within it with the rights of its segments, in pages of 4 KiB
// where it may be written, else of 2 MiB too: a page of code that also holds the
// first constants is a small price for code that needs one entry of the TLB. The
// framebuffer stays where mapScreen has mapped it, until arch/amd64 finds a
// better place. No low half. It changes the tables it runs on, so the order matters: an entry
// is only ever replaced by one that gives at least what runs now needs.
func mapMemory(b *info.Boot) error {
	base := (uint64(uintptr(unsafe.Pointer(&tableSpace))) - info.DirectMap + pageSize - 1) &^ (pageSize - 1)
	pml4, pdpt := at(base), at(base+pageSize)
	b.Root = base
	nx := uint64(0)
	if hasNX() {
		nx = noExec
	}

	segs, n := segments()
	start, end := segs[0].start, segs[0].start
	for _, s := range segs[:n] {
		start, end = min(start, s.start), max(end, s.end)
	}
	start, end = start&^(pageSize-1), (end+pageSize-1)&^(pageSize-1)
	// Loaders put the image where it wants to be, whatever is there.
	if !b.Covered(start, end) {
		return errOccupied
	}
	for _, m := range b.Modules() {
		if m.Start < end && start < m.End {
			return errModule
		}
	}
	b.Reserve(start, end)
	// Page 0 is where stray pointers go, the rest of the first MiB belongs
	// to the firmware and to the start of other CPUs.
	b.Reserve(0, 1<<20)

	top := b.Top(info.MaxMemory)
	first, last := start&^(largeSize-1), (end+largeSize-1)&^(largeSize-1)
	pages := (last - first) / largeSize
	if top > 4<<30 {
		pages += (top - 4<<30 + dirSize - 1) / dirSize
	}
	mem, err := b.Carve(pages*pageSize, 4<<30)
	if err != nil {
		return err
	}
	p := pool{mem, mem + pages*pageSize}

	// Memory above 4 GiB.
	for a := uint64(4 << 30); a < top; a += dirSize {
		dir := p.get()
		for i := range uint64(512) {
			if pa := a + i*largeSize; b.HasMemory(pa, pa+largeSize) {
				at(dir)[i] = pa | large | writable | present | nx
			} else if onScreen(b, pa) {
				at(dir)[i] = pa | large | uncached | writable | present | nx
			}
		}
		pdpt[a/dirSize] = dir | writable | present
	}
	// The image.
	for a := first; a < last; a += largeSize {
		e := &at(pdpt[a/dirSize])[a/largeSize%512]
		if f := imageFlags(segs[:n], a, a+largeSize, nx); f&writable == 0 {
			*e = a | f | large
			continue
		}
		pt := p.get()
		for i := range uint64(512) {
			pa := a + i*pageSize
			at(pt)[i] = pa | imageFlags(segs[:n], pa, pa+pageSize, nx)
		}
		*e = pt | writable | present
	}
	// The rest below 4 GiB.
	for a := uint64(0); a < 4<<30; a += largeSize {
		if a >= first && a < last {
			continue
		}
		e := &at(pdpt[a/dirSize])[a/largeSize%512]
		if b.HasMemory(a, a+largeSize) {
			*e = a | large | writable | present | nx
		} else if onScreen(b, a) {
			*e = a | large | uncached | writable | present | nx
		} else {
			*e = 0
		}
	}
	pml4[0] = 0
	reload(uintptr(base))
	return nil
}

// segmentLoad is the kind of program header that matters here (elf.h).
const segmentLoad = 1 // PT_LOAD

type elfHeader struct { // Elf64_Ehdr
	ident                    [16]byte
	kind, machine            uint16
	version                  uint32
	entry, phoff, shoff      uint64
	flags                    uint32
	ehsize, phentsize, phnum uint16
}

type programHeader struct { // Elf64_Phdr
	kind, flags                                uint32
	offset, vaddr, paddr, filesz, memsz, align uint64
}

// segments reads the image's own program headers, which lie in its first page.
func segments() (segs [8]segment, n int) {
	h := (*elfHeader)(unsafe.Pointer(uintptr(info.ImageBase)))
	for i := range uintptr(h.phnum) {
		p := (*programHeader)(unsafe.Pointer(uintptr(info.ImageBase+h.phoff) + i*unsafe.Sizeof(programHeader{})))
		if p.kind == segmentLoad && n < len(segs) {
			segs[n] = segment{p.paddr, p.paddr + p.memsz, p.flags}
			n++
		}
	}
	return segs, n
}
