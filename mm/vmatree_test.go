package mm

import (
	"math/rand"
	"testing"
)

// checkTree verifies order, links, balance and gaps.
func checkTree(t testing.TB, tr *vmaTree) {
	t.Helper()
	var walk func(v *vma) (n int, h int32, gap uint64)
	var prev *vma
	walk = func(v *vma) (int, int32, uint64) {
		if v == nil {
			return 0, 0, 0
		}
		ln, lh, lg := walk(v.left)
		if v.prev != prev || prev != nil && (prev.next != v || prev.end > v.start) {
			t.Fatalf("list and tree disagree at %#x", v.start)
		}
		if v.start >= v.end {
			t.Fatalf("empty VMA at %#x", v.start)
		}
		prev = v
		rn, rh, rg := walk(v.right)
		if d := lh - rh; d < -1 || d > 1 {
			t.Fatalf("unbalanced at %#x: %d, %d", v.start, lh, rh)
		}
		h, g := max(lh, rh)+1, max(lg, rg, v.gap())
		if v.height != h || v.maxGap != g {
			t.Fatalf("VMA at %#x: height %d gap %#x, want %d %#x", v.start, v.height, v.maxGap, h, g)
		}
		return ln + rn + 1, h, g
	}
	n, _, _ := walk(tr.root)
	if n != tr.n || prev != tr.last {
		t.Fatalf("%d nodes, counted %d", n, tr.n)
	}
}

func noGuard(*vma) uint64 { return 0 }

// The tree against a plain array of slots.
func TestTreeAgainstModel(t *testing.T) {
	const slots = 400
	rng := rand.New(rand.NewSource(1))
	var tr vmaTree
	var model [slots]*vma
	for step := 0; step < 20000; step++ {
		lo := rng.Intn(slots)
		hi := min(slots, lo+1+rng.Intn(8))
		if v := model[lo]; v != nil && rng.Intn(2) == 0 {
			if rng.Intn(3) == 0 && v.end-v.start > 1 { // shrink it from one side
				if rng.Intn(2) == 0 {
					model[v.start] = nil
					tr.resize(v, v.start+1, v.end)
				} else {
					model[v.end-1] = nil
					tr.resize(v, v.start, v.end-1)
				}
			} else {
				for i := v.start; i < v.end; i++ {
					model[i] = nil
				}
				tr.remove(v)
			}
		} else {
			free := true
			for i := lo; i < hi; i++ {
				free = free && model[i] == nil
			}
			if tr.intersects(uint64(lo), uint64(hi)) == free {
				t.Fatalf("step %d: intersects(%d, %d) = %v", step, lo, hi, !free)
			}
			if free {
				v := &vma{start: uint64(lo), end: uint64(hi)}
				for i := lo; i < hi; i++ {
					model[i] = v
				}
				tr.insert(v)
			}
		}
		if step%50 == 0 {
			checkTree(t, &tr)
		}
		at := rng.Intn(slots)
		var want *vma
		for i := at; i < slots && want == nil; i++ {
			want = model[i]
		}
		if got := tr.find(uint64(at)); got != want {
			t.Fatalf("step %d: find(%d) = %v, want %v", step, at, got, want)
		}
		n, from, to := 1+rng.Intn(10), rng.Intn(slots/2), slots/2+rng.Intn(slots/2)
		wantAt, wantOK := uint64(0), false
		run := 0
		for i := to - 1; i >= from && !wantOK; i-- {
			if run++; model[i] != nil {
				run = 0
			}
			if run == n {
				wantAt, wantOK = uint64(i), true
			}
		}
		gotAt, gotOK := tr.findGap(uint64(n), uint64(from), uint64(to), noGuard)
		if gotOK != wantOK || gotAt != wantAt {
			t.Fatalf("step %d: findGap(%d, %d, %d) = %d %v, want %d %v", step, n, from, to, gotAt, gotOK, wantAt, wantOK)
		}
		if _, ok := tr.findGapUp(uint64(n), uint64(from), uint64(to), noGuard); ok != wantOK {
			t.Fatalf("step %d: findGapUp finds %v, findGap %v", step, ok, wantOK)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	var tr vmaTree
	for i := uint64(0); i < 1000; i++ {
		tr.insert(&vma{start: i * 10, end: i*10 + 5})
	}
	for i := 0; i < b.N; i++ {
		tr.find(uint64(i*7919) % 10000)
	}
}
