//go:build !tamarix

package amd64

import (
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"unsafe"
)

func TestMain(m *testing.M) {
	InitHost(64 << 20)
	os.Exit(m.Run())
}

// unchanged checks that the counters come back to where they were.
func unchanged(t *testing.T) {
	before := ReadFrameStats()
	t.Cleanup(func() {
		if after := ReadFrameStats(); after != before {
			t.Errorf("frames: %+v before, %+v after", before, after)
		}
	})
}

func TestFrameReferences(t *testing.T) {
	unchanged(t)
	f, ok := AllocZeroFrame(UseAnon)
	if !ok || !f.Valid() {
		t.Fatal("no frame")
	}
	f.Ref()
	if f.Refs() != 2 || f.Use() != UseAnon || f.Flags() != 0 {
		t.Errorf("refs %d, use %d, flags %#x", f.Refs(), f.Use(), f.Flags())
	}
	if f.SetFlag(3) != 0 || f.ClearFlag(1) != 3 || f.Flags() != 2 {
		t.Errorf("flags %#x", f.Flags())
	}
	f.SetUse(UseCache)
	if s := ReadFrameStats(); f.Use() != UseCache || f.Flags() != 2 || s.Cache == 0 {
		t.Errorf("use %d, flags %#x, %+v", f.Use(), f.Flags(), s)
	}
	if f.Unref() || !f.Unref() {
		t.Error("freed too early or not at all")
	}
}

// TestRecordsBeginReserved: the memory that the records get is not zero after a
// loader or the memory test has used it.
func TestRecordsBeginReserved(t *testing.T) {
	table, count := frameTable, frameCount
	defer func() { frameTable, frameCount = table, count }()
	dirty := make([]uint64, 17)
	for i := range dirty {
		dirty[i] = 0x5555555555555555
	}
	frameTableInit(unsafe.Pointer(&dirty[0]), 16<<PageShift+100)
	for f := Frame(PageSize); f.Valid(); f += PageSize {
		if f.Refs() != 0 || f.Use() != UseReserved || f.Flags() != 0 {
			t.Errorf("frame %#x: %d references, use %d, flags %#x", uint64(f), f.Refs(), f.Use(), f.Flags())
		}
	}
	if dirty[16] != 0x5555555555555555 {
		t.Error("written beyond the table")
	}
}

func TestFrameFlagsAreClearAfterReuse(t *testing.T) {
	unchanged(t)
	f, _ := AllocFrame(UseAnon)
	f.SetFlag(0xff)
	f.Unref()
	g, _ := AllocFrame(UseCache)
	defer g.Unref()
	if g.Flags() != 0 || g.Use() != UseCache || g.Refs() != 1 {
		t.Errorf("flags %#x, use %d, refs %d", g.Flags(), g.Use(), g.Refs())
	}
}

func TestPagesAreAlignedAndDisjoint(t *testing.T) {
	unchanged(t)
	owner := map[Frame]int{}
	type block struct {
		f     Frame
		order int
	}
	var blocks []block
	for i := range 300 {
		order := rand.IntN(6)
		f, ok := AllocPages(order, UseKernel)
		if !ok {
			t.Fatal("out of memory")
		}
		if uint64(f)&(PageSize<<order-1) != 0 {
			t.Errorf("order %d at %#x", order, f)
		}
		for k := Frame(0); k < 1<<order; k++ {
			p := f + k<<PageShift
			if o, taken := owner[p]; taken {
				t.Fatalf("page %#x is in blocks %d and %d", p, o, i)
			}
			owner[p] = i
		}
		blocks = append(blocks, block{f, order})
	}
	rand.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	for _, b := range blocks {
		for k := Frame(0); k < 1<<b.order; k++ {
			(b.f + k<<PageShift).Unref()
		}
	}
}

// TestBlocksJoin takes all memory page by page, gives it back and asks for the
// largest blocks: they must be there again.
func TestBlocksJoin(t *testing.T) {
	unchanged(t)
	largest := func() (n int) {
		var all []Frame
		for {
			f, ok := AllocPages(maxOrder, UseKernel)
			if !ok {
				break
			}
			all = append(all, f)
		}
		for _, f := range all {
			for k := Frame(0); k < 1<<maxOrder; k++ {
				(f + k<<PageShift).Unref()
			}
		}
		return len(all)
	}
	want := largest()
	var all []Frame
	for {
		f, ok := AllocFrame(UseKernel)
		if !ok {
			break
		}
		all = append(all, f)
	}
	if len(all) < 1000 {
		t.Errorf("%d frames in all", len(all))
	}
	for _, f := range all {
		f.Unref()
	}
	// A few frames stay in the CPU's stock and keep their blocks apart.
	if got := largest(); got < want-2 {
		t.Errorf("%d blocks of order %d before, %d after", want, maxOrder, got)
	}
}

func TestReserveIsTheKernels(t *testing.T) {
	unchanged(t)
	var all []Frame
	for {
		f, ok := AllocFrame(UseAnon)
		if !ok {
			if f, ok = AllocPages(0, UseCache); !ok {
				break
			}
		}
		all = append(all, f)
	}
	if s := ReadFrameStats(); s.Free < buddy.reserve {
		t.Errorf("users left %d pages of a reserve of %d", s.Free, buddy.reserve)
	}
	f, ok := AllocFrame(UseKernel)
	if !ok {
		t.Error("nothing left for the kernel")
	} else {
		f.Unref()
	}
	for _, f := range all {
		f.Unref()
	}
}

func TestFramesInParallel(t *testing.T) {
	unchanged(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var mine []Frame
			for range 3000 {
				if len(mine) > 0 && rand.IntN(2) == 0 {
					f := mine[len(mine)-1]
					mine = mine[:len(mine)-1]
					if f.Words()[0] != uint64(f) {
						t.Errorf("frame %#x is somebody else's too", f)
					}
					f.Unref()
				} else if f, ok := AllocFrame(UseAnon); ok {
					f.Words()[0] = uint64(f)
					mine = append(mine, f)
				}
			}
			for _, f := range mine {
				f.Unref()
			}
		})
	}
	wg.Wait()
}
