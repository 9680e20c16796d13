package mm

// vmaTree holds the VMAs of one address space, sorted by address: an AVL tree
// for searches, threaded by a doubly linked list for walks. Each node knows
// the largest hole in its subtree, so that room for a new mapping is found
// without walking. The zero value is an empty tree. Guarded by the address
// space's mu.
type vmaTree struct {
	root  *vma
	first *vma
	last  *vma
	n     int
}

// find returns the first VMA that ends above addr: the one that contains addr
// or else the next higher one; nil if there is none (find_vma of Linux).
func (t *vmaTree) find(addr uint64) *vma {
	var best *vma
	for v := t.root; v != nil; {
		if addr < v.end {
			best = v
			if addr >= v.start {
				return v
			}
			v = v.left
		} else {
			v = v.right
		}
	}
	return best
}

// intersects reports whether any VMA has a page in [lo, hi).
func (t *vmaTree) intersects(lo, hi uint64) bool {
	v := t.find(lo)
	return v != nil && v.start < hi
}

// insert adds v, which must not overlap any other VMA.
func (t *vmaTree) insert(v *vma) {
	next := t.find(v.start)
	t.link(v, next)
	if next != nil {
		t.refresh(next)
	}
}

// split ends v at w's start and adds w, which covers the rest. No hole changes.
func (t *vmaTree) split(v, w *vma) {
	v.end = w.start
	t.link(w, v.next)
}

// link puts v into list and tree, below next or at the end.
func (t *vmaTree) link(v, next *vma) {
	v.next = next
	if next != nil {
		v.prev = next.prev
		next.prev = v
	} else {
		v.prev = t.last
		t.last = v
	}
	if v.prev != nil {
		v.prev.next = v
	} else {
		t.first = v
	}
	v.left, v.right = nil, nil
	v.height = 1
	v.maxGap = v.gap()
	t.root = avlInsert(t.root, v)
	t.n++
}

// remove takes v out.
func (t *vmaTree) remove(v *vma) {
	next := v.next
	t.unlink(v)
	if next != nil {
		t.refresh(next)
	}
}

// absorb takes n out and has p, which n follows, cover its range. No hole
// changes.
func (t *vmaTree) absorb(p, n *vma) {
	p.end = n.end
	t.unlink(n)
}

// unlink takes v off list and tree.
func (t *vmaTree) unlink(v *vma) {
	next := v.next
	if v.prev != nil {
		v.prev.next = next
	} else {
		t.first = next
	}
	if next != nil {
		next.prev = v.prev
	} else {
		t.last = v.prev
	}
	t.root = avlRemove(t.root, v)
	t.n--
	v.left, v.right, v.prev, v.next = nil, nil, nil, nil
}

// resize moves the bounds of v, which must keep clear of its neighbours.
func (t *vmaTree) resize(v *vma, start, end uint64) {
	low, high := start != v.start, end != v.end
	v.start, v.end = start, end
	if low {
		t.refresh(v)
	}
	if high && v.next != nil {
		t.refresh(v.next)
	}
}

// refresh recomputes the gaps on the path from the root to v.
func (t *vmaTree) refresh(v *vma) { avlRefresh(t.root, v) }

// findGap returns the highest address at which n bytes, and before them guard
// bytes more, lie free within [lo, hi): the top-down search of Linux. guard is
// called for the VMA above the hole and says how much of it must stay free (the
// stack guard gap of a VMA that grows down).
func (t *vmaTree) findGap(n, lo, hi uint64, guard func(*vma) uint64) (uint64, bool) {
	// The hole above the last VMA is no VMA's gap.
	top := hi
	if t.last != nil {
		if t.last.end <= hi && hi-t.last.end >= n && hi-n >= lo && hi-n >= t.last.end {
			return hi - n, true
		}
	} else if hi >= n && hi-n >= lo {
		return hi - n, true
	}
	return findGap(t.root, n, lo, top, guard)
}

// findGap looks through v's subtree from the right.
func findGap(v *vma, n, lo, hi uint64, guard func(*vma) uint64) (uint64, bool) {
	if v == nil || v.maxGap < n {
		return 0, false
	}
	if v.start < hi {
		if a, ok := findGap(v.right, n, lo, hi, guard); ok {
			return a, true
		}
	}
	// The hole below v: [floor, ceil).
	floor := v.start - v.gap()
	ceil := v.start
	if g := guard(v); ceil-floor >= g {
		ceil -= g
	} else {
		ceil = floor
	}
	floor, ceil = max(floor, lo), min(ceil, hi)
	if ceil >= floor && ceil-floor >= n {
		return ceil - n, true
	}
	if v.start <= lo {
		return 0, false
	}
	return findGap(v.left, n, lo, hi, guard)
}

// findGapUp is findGap from the bottom, the search of last resort.
func (t *vmaTree) findGapUp(n, lo, hi uint64, guard func(*vma) uint64) (uint64, bool) {
	at := lo
	for v := t.find(lo); v != nil && v.start < hi; v = v.next {
		if v.start > at && v.start-at >= n && v.start-at-n >= guard(v) {
			return at, true
		}
		at = max(at, v.end)
	}
	if hi > at && hi-at >= n {
		return at, true
	}
	return 0, false
}

func height(v *vma) int32 {
	if v == nil {
		return 0
	}
	return v.height
}

// update recomputes what v knows about its subtree.
func (v *vma) update() {
	h, g := int32(0), v.gap()
	if l := v.left; l != nil {
		h = l.height
		g = max(g, l.maxGap)
	}
	if r := v.right; r != nil {
		h = max(h, r.height)
		g = max(g, r.maxGap)
	}
	v.height, v.maxGap = h+1, g
}

func avlInsert(at, v *vma) *vma {
	if at == nil {
		return v
	}
	if v.start < at.start {
		at.left = avlInsert(at.left, v)
	} else {
		at.right = avlInsert(at.right, v)
	}
	return balance(at)
}

func avlRemove(at, v *vma) *vma {
	if at != v {
		if v.start < at.start {
			at.left = avlRemove(at.left, v)
		} else {
			at.right = avlRemove(at.right, v)
		}
		return balance(at)
	}
	if v.left == nil {
		return v.right
	}
	if v.right == nil {
		return v.left
	}
	succ := v.right
	for succ.left != nil {
		succ = succ.left
	}
	right := avlRemove(v.right, succ)
	succ.left, succ.right = v.left, right
	return balance(succ)
}

func avlRefresh(at, v *vma) {
	if at != v {
		if v.start < at.start {
			avlRefresh(at.left, v)
		} else {
			avlRefresh(at.right, v)
		}
	}
	at.update()
}

// balance restores the AVL rule at v after one change below it.
func balance(v *vma) *vma {
	switch d := height(v.left) - height(v.right); {
	case d > 1:
		if height(v.left.left) < height(v.left.right) {
			v.left = rotateLeft(v.left)
		}
		return rotateRight(v)
	case d < -1:
		if height(v.right.right) < height(v.right.left) {
			v.right = rotateRight(v.right)
		}
		return rotateLeft(v)
	}
	v.update()
	return v
}

func rotateLeft(v *vma) *vma {
	r := v.right
	v.right = r.left
	r.left = v
	v.update()
	r.update()
	return r
}

func rotateRight(v *vma) *vma {
	l := v.left
	v.left = l.right
	l.right = v
	v.update()
	l.update()
	return l
}
