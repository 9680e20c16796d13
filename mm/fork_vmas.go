package mm

import (
	arch "tamarix/arch/amd64"
)

// copyVMAs gives as, which is empty, copies of the VMAs of from: all but those
// that a child must not have. False if there is no memory. Precondition: both
// mu held in write mode.
func (as *AddressSpace) copyVMAs(from *AddressSpace) bool {
	for v := from.vmas.first; v != nil; v = v.next {
		if v.is(vmDontFork) {
			return as.copySomeVMAs(from)
		}
	}
	c := vmaCopy{as: as, left: from.vmas.n}
	as.vmas.root = c.subtree(from.vmas.root)
	as.totalVM, as.dataVM, as.stackVM, as.execVM = from.totalVM, from.dataVM, from.stackVM, from.execVM
	as.peakVM = as.totalVM
	return !c.failed
}

// copySomeVMAs is copyVMAs for a list with gaps, one by one.
func (as *AddressSpace) copySomeVMAs(from *AddressSpace) bool {
	c := vmaCopy{as: as, left: from.vmas.n}
	for v := from.vmas.first; v != nil; v = v.next {
		if v.is(vmDontFork) {
			continue
		}
		w := c.one(v)
		if w == nil {
			return false
		}
		as.addVMA(w)
	}
	return true
}

// vmaCopy makes copies of VMAs, several in one allocation.
type vmaCopy struct {
	as     *AddressSpace
	room   []vma
	left   int // how many are still to come
	failed bool
}

// vmaBatch bounds how many VMAs lie in one piece of memory, which lives as long
// as any of them.
const vmaBatch = 16

// one returns a copy of v that is in no tree, list or reverse map yet; nil if
// there is no memory.
func (c *vmaCopy) one(v *vma) *vma {
	if len(c.room) == 0 {
		if c.left > 128 && !arch.KernelRoom() {
			c.failed = true
			return nil
		}
		c.room = make([]vma, min(c.left, vmaBatch))
	}
	w := &c.room[0]
	c.room = c.room[1:]
	c.left--
	w.start, w.end, w.flags = v.start, v.end, v.flags&^(vmLocked|vmLockFault)
	w.prot, w.maxProt, w.pteProt = v.prot, v.maxProt, v.pteProt
	w.obj, w.pgoff, w.backing, w.name = v.obj, v.pgoff, v.backing, v.name
	w.as = c.as
	return w
}

// subtree copies the tree below v, in order, and appends the copies to the
// list; holes and heights are the same in both.
func (c *vmaCopy) subtree(v *vma) *vma {
	if v == nil || c.failed {
		return nil
	}
	left := c.subtree(v.left)
	w := c.one(v)
	if w == nil {
		return nil // the tree is not one any more, the list is: it serves the teardown
	}
	w.left, w.height, w.maxGap = left, v.height, v.maxGap
	t := &c.as.vmas
	if w.prev = t.last; w.prev != nil {
		w.prev.next = w
	} else {
		t.first = w
	}
	t.last = w
	t.n++
	w.hold()
	w.right = c.subtree(v.right)
	return w
}
