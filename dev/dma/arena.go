package dma

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Arena is an [Allocator] of ordinary memory, for tests: physical addresses are
// made up, and [Arena.At] finds the memory behind one.
type Arena struct {
	mu   sync.Mutex // guards the rest
	next uint64
	live map[uint64]*Memory // by physical address of each page
	max  int                // pages that may be live at once; 0: any number
}

// NewArena returns an arena whose addresses begin at base. It has at most max
// bytes, or any number if max is 0.
func NewArena(base uint64, max int) *Arena {
	return &Arena{next: base &^ (PageSize - 1), live: make(map[uint64]*Memory), max: max / PageSize}
}

// Alloc implements [Allocator].
func (a *Arena) Alloc(size int, limit uint64) (*Memory, error) {
	o := order(size)
	if o < 0 {
		return nil, unix.EINVAL
	}
	n := uint64(PageSize) << o
	a.mu.Lock()
	defer a.mu.Unlock()
	phys := (a.next + n - 1) &^ (n - 1)
	if limit != 0 && phys+n > limit || a.max > 0 && len(a.live)+1<<o > a.max {
		return nil, unix.ENOMEM
	}
	a.next = phys + n + PageSize // a gap, so that an overrun hits nothing
	m := &Memory{phys: phys, words: make([]uint64, n/8)}
	view := *m // freeing leaves the device's view alone
	for p := phys; p < phys+n; p += PageSize {
		a.live[p] = &view
	}
	m.free = func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		for p := phys; p < phys+n; p += PageSize {
			delete(a.live, p)
		}
	}
	return m, nil
}

// At returns the memory at a physical address and the offset of the address in
// it; nil if n bytes from there on are not all in one live allocation.
func (a *Arena) At(phys uint64, n int) (*Memory, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.live[phys&^(PageSize-1)]
	if m == nil || n < 0 || phys-m.phys > uint64(m.Size()-n) || n > m.Size() {
		return nil, 0
	}
	return m, int(phys - m.phys)
}

// Pages returns how many pages are allocated.
func (a *Arena) Pages() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.live)
}
