package amd64

// AllocPagesBelow is AllocPages for a device that does not reach all of memory:
// the pages lie below limit, an address. It may look at every free block, so it
// is for a driver's start, not for a path that is gone often.
//
//go:nosplit
func AllocPagesBelow(order int, u FrameUse, limit uint64) (Frame, bool) {
	if order < 0 || order > maxOrder {
		return 0, false
	}
	s := pin()
	lock(&buddy.lock)
	var f Frame
	if u <= UseKernel || buddy.free >= buddy.reserve+1<<order {
		f = buddyTakeBelow(uint32(order), limit)
	}
	unlock(&buddy.lock)
	if f != 0 {
		thisCPU().frames.used[u] += 1 << order
	}
	unpin(s)
	if f == 0 {
		return 0, false
	}
	buddyClaim(f, order, u)
	return f, true
}

// buddyTakeBelow is buddyTake for a block whose end is not above limit.
//   - buddy.lock is held.
//
//go:nosplit
func buddyTakeBelow(order uint32, limit uint64) Frame {
	size := uint64(PageSize) << order
	for {
		for o := order; o <= maxOrder; o++ {
			for f := buddy.head[o]; f != 0; f = f.links().next {
				if uint64(f)+size > limit {
					continue
				}
				buddyRemove(f, o)
				for o > order {
					o--
					buddyPush(f+PageSize<<o, o)
				}
				return f
			}
		}
		// Untouched memory is listed from its low end: what follows lies higher.
		next := buddy.firstUntouched
		if next == buddy.nUntouched || buddy.untouched[next].start+size > limit || !buddyTouch() {
			return 0
		}
	}
}
