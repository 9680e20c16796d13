//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"
)

// The kernel's own mappings beside the direct map: the runtime's heap, filled
// page by page on demand, and windows (device registers, stacks). Tables are
// made with compare-and-swap and never freed, so that a fault handler needs no
// lock.

// heapNext is where the next mmap goes; addresses are not reused. windowNext
// likewise. Atomic.
var (
	heapNext   uint64 = heapBase
	windowNext uint64 = windowBase + PageSize
)

func inHeap(va uint64) bool { return va >= heapBase && va < atomic.LoadUint64(&heapNext) }

// kernelPTE returns the leaf entry for an upper-half address, making tables.
// nil if there is no memory, or a large page maps the address.
func kernelPTE(va uint64) *PTE {
	t := kernelRoot
	for shift := uint(39); shift > PageShift; shift -= indexBits {
		p := entry(t, va, shift)
		e := LoadPTE(p)
		if !e.Present() {
			f, ok := AllocZeroFrame(UseKernel)
			if !ok {
				return nil
			}
			e = PTE(f) | ptePresent | pteWritable | pteAccessed
			if !CASPTE(p, 0, e) {
				f.Unref()
				e = LoadPTE(p)
			}
		}
		if e&pteLarge != 0 {
			return nil
		}
		t = e.Frame()
	}
	return entry(t, va, PageShift)
}

// mapKernel maps an upper-half page. false if there is no memory for tables.
func mapKernel(va uint64, e PTE) bool {
	p := kernelPTE(va)
	if p == nil {
		return false
	}
	StorePTE(p, e)
	return true
}

// demandHeap maps a zeroed page at va, which lies in the heap.
func demandHeap(va uint64) {
	p := kernelPTE(va)
	if p == nil {
		fatal("no memory for the kernel's page tables", va)
	}
	if LoadPTE(p).Present() {
		return // another CPU was faster
	}
	f, ok := AllocZeroFrame(UseKernel)
	if !ok {
		fatal("no memory for the kernel heap", va)
	}
	if !CASPTE(p, 0, PTE(f)|ptePresent|pteWritable|pteAccessed|pteDirty|noExec) {
		f.Unref()
	}
}

// heapMap is mmap: only anonymous memory exists.
func heapMap(addr, n, flags uint64) uint64 {
	const mapFixed = 0x10
	n = (n + PageSize - 1) &^ (PageSize - 1)
	if flags&mapFixed != 0 {
		return addr
	}
	for {
		a := atomic.LoadUint64(&heapNext)
		if n > heapEnd-a {
			return negErrno(enomem)
		}
		start := a
		if addr > a && addr < heapEnd && n <= heapEnd-addr && addr-a < 1<<36 {
			start = addr // the runtime likes its arenas in a row
		}
		if atomic.CompareAndSwapUint64(&heapNext, a, start+n) {
			return start
		}
	}
}

// heapUnmap frees the pages of [lo, lo+n); they read as zero when touched again.
func heapUnmap(lo, n uint64) {
	if lo < heapBase || lo >= heapEnd || n > heapEnd-lo {
		return
	}
	var batch [64]Frame
	k := 0
	hi := lo + n
	first := lo
	for va := lo; va < hi; {
		t := kernelRoot
		p := (*PTE)(nil)
		shift := uint(39)
		for {
			e := LoadPTE(entry(t, va, shift))
			if !e.Present() {
				break
			}
			t = e.Frame()
			if shift -= indexBits; shift == PageShift {
				p = entry(t, va, shift)
				break
			}
		}
		if p == nil {
			va = (va | (1<<shift - 1)) + 1
			continue
		}
		if LoadPTE(p).Present() {
			if k == 0 {
				first = va
			}
			batch[k] = SwapPTE(p, 0).Frame()
			if k++; k == len(batch) {
				heapFlushFree(first, va+PageSize, &batch, k)
				k = 0
			}
		}
		va += PageSize
	}
	if k > 0 {
		heapFlushFree(first, hi, &batch, k)
	}
}

func heapFlushFree(lo, hi uint64, batch *[64]Frame, n int) {
	flushRange(0, lo, hi-1, false)
	for i := range n {
		if batch[i] != 0 {
			batch[i].Unref()
		}
	}
}

// newWindow takes n bytes of window addresses, with an unmapped page behind.
func newWindow(n uint64) uint64 {
	return atomic.AddUint64(&windowNext, n+PageSize) - n - PageSize
}

// MapDevice maps size bytes of device registers at physical address phys,
// uncached, and returns where; 0 if the CPU has no such address or there is no
// memory for page tables. It is never unmapped.
func MapDevice(phys, size uint64) uintptr {
	return mapWindow(phys, size, pteNoCache)
}

// mapWindow maps size bytes of device memory at physical address phys with the
// given kind of caching, and returns where; 0 if the CPU has no such address, as
// firmware and devices may say anything, or there is no memory for page tables.
func mapWindow(phys, size uint64, caching PTE) uintptr {
	if limit := physicalLimit(); size == 0 || size > limit || phys > limit-size {
		return 0 // the entry's reserved bits would make every access fault
	}
	off := phys & (PageSize - 1)
	n := (off + size + PageSize - 1) &^ (PageSize - 1)
	va := newWindow(n)
	for i := uint64(0); i < n; i += PageSize {
		e := PTE(phys-off+i) | ptePresent | pteWritable | pteAccessed | pteDirty | caching | noExec
		if !mapKernel(va+i, e) {
			return 0
		}
	}
	return uintptr(va + off)
}

// newStack maps a stack of n bytes between two guard pages and returns its top.
func newStack(n uint64) (top uint64) {
	va := newWindow(n)
	for i := uint64(0); i < n; i += PageSize {
		f, ok := AllocZeroFrame(UseKernel)
		if !ok || !mapKernel(va+i, PTE(f)|ptePresent|pteWritable|pteAccessed|pteDirty|noExec) {
			fatal("no memory for a stack", n)
		}
	}
	return va + n
}

// kmapInit makes the top-level entries of the upper half, once and for all.
func kmapInit() {
	for va := uint64(heapBase); va < heapEnd; va += 1 << 39 {
		topEntry(va)
	}
	topEntry(windowBase)
}

func topEntry(va uint64) {
	p := entry(kernelRoot, va, 39)
	f, ok := AllocZeroFrame(UseKernel)
	if !ok {
		fatal("no memory for page tables", va)
	}
	StorePTE(p, PTE(f)|ptePresent|pteWritable|pteAccessed)
}

// newArea returns zeroed, physically contiguous memory of 2^order pages.
func newArea(order int) unsafe.Pointer {
	f, ok := AllocPages(order, UseKernel)
	if !ok {
		fatal("no memory", uint64(order))
	}
	for i := Frame(0); i < 1<<order; i++ {
		ZeroPage(f + i<<PageShift)
	}
	return physPointer(uint64(f))
}
