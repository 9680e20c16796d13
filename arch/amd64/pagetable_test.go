//go:build !tamarix

package amd64

import (
	"bytes"
	"sync"
	"testing"
)

func newTable(t *testing.T) *PageTable {
	t.Helper()
	pt, ok := NewPageTable()
	if !ok {
		t.Fatal("no memory")
	}
	return pt
}

func TestPTE(t *testing.T) {
	for _, c := range []struct {
		prot      Prot
		write, nx bool
	}{
		{ProtRead, false, true},
		{ProtRead | ProtWrite, true, true},
		{ProtRead | ProtExec, false, false},
		{ProtRead | ProtWrite | ProtExec, true, false},
	} {
		e := MakePTE(0x1234000, c.prot)
		if !e.Present() || !e.User() || e.Frame() != 0x1234000 || e.Writable() != c.write || e.Dirty() != c.write || e.NX() != c.nx {
			t.Errorf("prot %d: %#x", c.prot, uint64(e))
		}
	}
}

func TestEnsureAndLookup(t *testing.T) {
	unchanged(t)
	pt := newTable(t)
	addrs := []uint64{0x1000, 0x400000, 0x7fff_ffff_e000, 1 << 39, 1<<39 + 1<<30, 1<<39 + 1<<21}
	for _, va := range addrs {
		if pt.Lookup(va) != nil && va != 0x400000 {
			t.Errorf("%#x: a leaf before Ensure", va)
		}
		p, ok := pt.Ensure(va)
		if !ok {
			t.Fatal("no memory")
		}
		StorePTE(p, MakePTE(Frame(va&0xfff000)+0x1000, ProtRead))
		if pt.Lookup(va) != p {
			t.Errorf("%#x: Lookup finds another entry", va)
		}
	}
	for _, va := range []uint64{UserTop, 1 << 47, 1 << 63, ^uint64(0)} {
		if pt.Lookup(va) != nil {
			t.Errorf("%#x: an entry outside the user half", va)
		}
		if _, ok := pt.Ensure(va); ok {
			t.Errorf("%#x: made outside the user half", va)
		}
	}
	seen := 0
	for base, leaf := pt.NextLeaf(0, UserTop); leaf != nil; base, leaf = pt.NextLeaf(base+LeafSpan, UserTop) {
		for i := range leaf {
			if e := LoadPTE(&leaf[i]); e.Present() {
				seen++
				va := base + uint64(i)*PageSize
				if e.Frame() != Frame(va&0xfff000)+0x1000 {
					t.Errorf("%#x maps %#x", va, e.Frame())
				}
				StorePTE(&leaf[i], 0)
			}
		}
	}
	if seen != len(addrs) {
		t.Errorf("NextLeaf saw %d of %d", seen, len(addrs))
	}
	tables := pt.Tables()
	if n := pt.FreeTables(0, UserTop); n != tables-1 || pt.Tables() != 1 {
		t.Errorf("freed %d of %d tables, %d left", n, tables, pt.Tables())
	}
	pt.Destroy()
}

func TestFreeTablesKeepsWhatIsUsed(t *testing.T) {
	unchanged(t)
	pt := newTable(t)
	p, _ := pt.Ensure(0x400000)
	pt.Ensure(0x600000)
	StorePTE(p, 2) // not present, but not nothing
	if n := pt.FreeTables(0, UserTop); n != 1 {
		t.Errorf("freed %d tables", n)
	}
	StorePTE(p, 0)
	if n := pt.FreeTables(0x400000, 0x5ff000); n != 0 {
		t.Errorf("freed %d tables of a range that is not whole", n)
	}
	if n := pt.FreeTables(0x400000, 0x600000); n != 1 {
		t.Errorf("freed %d tables", n)
	}
	pt.Destroy()
}

func TestEnsureInParallel(t *testing.T) {
	unchanged(t)
	pt := newTable(t)
	var wg sync.WaitGroup
	var got [8][200]*PTE
	for g := range got {
		wg.Go(func() {
			for i := range got[g] {
				got[g][i], _ = pt.Ensure(uint64(i) * 0x20_0000)
			}
		})
	}
	wg.Wait()
	for g := range got {
		if got[g] != got[0] {
			t.Error("two entries for one address")
		}
	}
	if pt.Tables() != 200+3 {
		t.Errorf("%d tables", pt.Tables())
	}
	pt.Destroy()
}

func TestUserCopies(t *testing.T) {
	unchanged(t)
	pt := newTable(t)
	const base = 0x10_0000
	var frames []Frame
	for i, prot := range []Prot{ProtRead | ProtWrite, ProtRead | ProtWrite, ProtRead} {
		f, _ := AllocZeroFrame(UseAnon)
		frames = append(frames, f)
		p, _ := pt.Ensure(base + uint64(i)*PageSize)
		StorePTE(p, MakePTE(f, prot))
	}
	src := bytes.Repeat([]byte("tamarix "), 2000)
	if n := CopyToUser(pt, base+5, src); n != 2*PageSize-5 {
		t.Errorf("CopyToUser stopped after %d", n)
	}
	dst := make([]byte, len(src))
	if n := CopyFromUser(pt, dst, base+5); n != 3*PageSize-5 || !bytes.Equal(dst[:2*PageSize-5], src[:2*PageSize-5]) {
		t.Errorf("CopyFromUser stopped after %d, or wrong", n)
	}
	if n := ZeroUser(pt, base+PageSize-3, 6); n != 6 {
		t.Errorf("ZeroUser stopped after %d", n)
	}
	if n, ok := StringFromUser(pt, dst, base+5); !ok || n != PageSize-8 {
		t.Errorf("StringFromUser: %d %v", n, ok)
	}
	if n, ok := StringFromUser(pt, dst[:10], base+3*PageSize); ok || n != 0 {
		t.Errorf("StringFromUser of nothing: %d %v", n, ok)
	}
	for _, bad := range []uint64{0, UserTop - 2, UserTop, 1 << 47, ^uint64(0)} {
		if n := CopyFromUser(pt, dst, bad); n != 0 {
			t.Errorf("%#x: read %d", bad, n)
		}
	}
	if cur, ok := CASUser32(pt, base, 0, 7); !ok || cur != 0 {
		t.Errorf("CASUser32: %d %v", cur, ok)
	}
	if cur, ok := CASUser32(pt, base, 0, 8); !ok || cur != 7 {
		t.Errorf("CASUser32: %d %v", cur, ok)
	}
	if StoreUser32(pt, base+2*PageSize, 1) {
		t.Error("wrote read-only memory")
	}
	if v, ok := LoadUser64(pt, base); !ok || uint32(v) != 7 {
		t.Errorf("LoadUser64: %d %v", v, ok)
	}
	for i, f := range frames {
		StorePTE(pt.Lookup(base+uint64(i)*PageSize), 0)
		f.Unref()
	}
	pt.Destroy()
}

func TestContextForkAndExec(t *testing.T) {
	unchanged(t)
	a, ok := NewUserContext()
	if !ok {
		t.Fatal("no memory")
	}
	defer a.Free()
	pt := newTable(t)
	defer pt.Destroy()
	a.Reset(0x1000, 0x2000)
	a.SetPageTable(pt)
	a.R12, a.xsave[fxXMM] = 77, 9
	a.RequestKick()
	b, ok := a.Clone()
	if !ok {
		t.Fatal("no memory")
	}
	defer b.Free()
	b.SetChildReturn()
	if b.R12 != 77 || b.GetIP() != 0x1000 || b.xsave[fxXMM] != 9 || b.pending != 0 || b.root != pt.root {
		t.Error("the copy differs")
	}
	a.Reset(0x3000, 0x4000)
	if a.R12 != 0 || a.GetIP() != 0x3000 || a.xsave[fxXMM] != 0 || a.pending != 1 || a.root != pt.root || a.mxcsr != defaultMXCSR {
		t.Error("Reset left something, or lost something")
	}
}

// TestVectorsSurviveSignalsWithoutXSAVE: an image of FXSAVE has no header that
// could say that the vector registers are in it.
func TestVectorsSurviveSignalsWithoutXSAVE(t *testing.T) {
	old := hostXSaveSize
	hostXSaveSize = fxSize
	defer func() { hostXSaveSize = old }()
	u, ok := NewUserContext()
	if !ok {
		t.Fatal("no memory")
	}
	defer u.Free()
	u.saveExtended()[fxXMM] = 9
	clear(u.xsave[xsaveHeader:xsaveMinimum])
	u.extendedChanged()
	if u.xsave[fxXMM] != 9 {
		t.Error("XMM0 is gone")
	}
}
