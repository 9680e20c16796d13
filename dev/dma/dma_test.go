package dma

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

func TestMemory(t *testing.T) {
	arch.InitHost(32 << 20)
	for name, a := range map[string]Allocator{"frames": Frames, "arena": NewArena(0x10_0000, 0)} {
		for _, size := range []int{1, PageSize, PageSize + 1, 5 * PageSize, 64 << 10} {
			m, err := a.Alloc(size, 16<<20)
			if err != nil {
				t.Fatalf("%s: %d bytes: %v", name, size, err)
			}
			n := m.Size()
			if n < size || n >= 2*size && n > PageSize || n&(n-1) != 0 || m.Phys(0)%uint64(n) != 0 || m.Phys(n) > 16<<20 {
				t.Errorf("%s: %d bytes: %d at %#x", name, size, n, m.Phys(0))
			}
			for _, b := range m.Bytes() {
				if b != 0 {
					t.Fatalf("%s: %d bytes: not clear", name, size)
				}
			}
			m.Store64(n-8, 0x1122_3344_5566_7788)
			m.Store32(n-4, 0xaabb_ccdd)
			if m.Load32(n-8) != 0x5566_7788 || m.Load64(n-8) != 0xaabb_ccdd_5566_7788 || m.Bytes()[n-1] != 0xaa {
				t.Errorf("%s: words %x", name, m.Bytes()[n-8:])
			}
			m.Zero(n-8, 8)
			if m.Load64(n-8) != 0 {
				t.Errorf("%s: not clear", name)
			}
			m.Free()
			m.Free() // no harm
		}
		for _, size := range []int{0, -1, MaxSize + 1} {
			if _, err := a.Alloc(size, 0); !errors.Is(err, unix.EINVAL) {
				t.Errorf("%s: %d bytes: %v", name, size, err)
			}
		}
		if _, err := a.Alloc(PageSize, PageSize); !errors.Is(err, unix.ENOMEM) {
			t.Errorf("%s: below %#x: %v", name, PageSize, err)
		}
	}
	before := arch.ReadFrameStats()
	m, _ := Frames.Alloc(MaxSize, 0)
	m.Free()
	if after := arch.ReadFrameStats(); after != before {
		t.Errorf("frames: %+v before, %+v after", before, after)
	}
}

// Offsets outside are the driver's mistakes: they hit no memory.
func TestMemoryBounds(t *testing.T) {
	m, err := NewArena(0, 0).Alloc(PageSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(){
		"load":      func() { m.Load32(PageSize) },
		"store":     func() { m.Store64(PageSize, 1) },
		"negative":  func() { m.Load32(-4) },
		"unaligned": func() { m.Load32(2) },
		"address":   func() { m.Phys(PageSize + 1) },
		"clear":     func() { m.Zero(PageSize-4, 8) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
