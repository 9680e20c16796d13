//go:build !tamarix

package amd64

import "testing"

func TestAllocPagesBelow(t *testing.T) {
	unchanged(t)
	const limit = 16 << 20
	var got []Frame
	for {
		f, ok := AllocPagesBelow(3, UseKernel, limit)
		if !ok {
			break
		}
		if end := uint64(f) + 8*PageSize; end > limit || uint64(f)%(8*PageSize) != 0 {
			t.Fatalf("block at %#x, up to %#x", f, end)
		}
		got = append(got, f)
	}
	if len(got) == 0 || len(got) > limit/(8*PageSize) {
		t.Errorf("%d blocks below %#x", len(got), limit)
	}
	// Memory above is left.
	if f, ok := AllocPagesBelow(3, UseKernel, 64<<20); !ok || uint64(f)+8*PageSize <= limit {
		t.Errorf("above the limit: %#x, %v", f, ok)
	} else {
		got = append(got, f)
	}
	for _, f := range got {
		for i := range Frame(8) {
			if g := f + i<<PageShift; g.Refs() != 1 || g.Use() != UseKernel {
				t.Fatalf("page %#x: %d references", g, g.Refs())
			} else {
				g.Unref()
			}
		}
	}
	if _, ok := AllocPagesBelow(maxOrder+1, UseKernel, limit); ok {
		t.Error("a block larger than the largest")
	}
}
