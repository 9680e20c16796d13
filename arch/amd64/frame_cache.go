package amd64

// frameCache is a CPU's stock of free frames and its share of the counters.
// It is touched only by code pinned to its CPU; others may read used.
type frameCache struct {
	n     int
	used  [numUses]int64 // allocated here minus freed here; the sum over all CPUs counts
	stock [cacheSize]Frame
	nzero int             // frames in zero
	zero  [zeroSize]Frame // free frames that are known to be cleared
}

const (
	cacheSize  = 64
	cacheBatch = 16
	zeroSize   = 32
)

// AllocFrame returns a frame with one reference and undefined content, ok
// false if there is none left for use u: user uses leave the kernel its
// reserve. It may be called from goroutines and from trap context.
//
//go:nosplit
func AllocFrame(u FrameUse) (f Frame, ok bool) {
	s := pin()
	c := thisCPU()
	if c.frames.n == 0 && !cacheFill(c, u) {
		unpin(s)
		return 0, false
	}
	c.frames.n--
	f = c.frames.stock[c.frames.n]
	c.frames.used[u]++
	unpin(s)
	m := f.meta()
	m.word.Store(uint32(u) << metaUseShift)
	m.refs.Store(1)
	return f, true
}

// AllocZeroFrame is AllocFrame with the content cleared.
//
//go:nosplit
func AllocZeroFrame(u FrameUse) (Frame, bool) {
	s := pin()
	c := thisCPU()
	if c.frames.nzero == 0 {
		unpin(s)
		f, ok := AllocFrame(u)
		if ok {
			ZeroPage(f)
		}
		return f, ok
	}
	c.frames.nzero--
	f := c.frames.zero[c.frames.nzero]
	c.frames.used[u]++
	unpin(s)
	m := f.meta()
	m.word.Store(uint32(u) << metaUseShift)
	m.refs.Store(1)
	return f, true
}

// freeZeroed frees f, which nobody uses any more and which is cleared.
//
//go:nosplit
func (f Frame) freeZeroed() {
	m := f.meta()
	if m.refs.Add(-1) != 0 {
		fatal("frame freed while in use", uint64(f))
	}
	s := pin()
	c := thisCPU()
	if c.frames.nzero == zeroSize {
		unpin(s)
		freeFrame(f, m)
		return
	}
	c.frames.zero[c.frames.nzero] = f
	c.frames.nzero++
	c.frames.used[m.word.Load()>>metaUseShift&0xff]--
	m.word.Store(0)
	unpin(s)
}

// cacheFill takes a batch from the buddy allocator.
//   - The caller is pinned to c.
//
//go:nosplit
func cacheFill(c *percpu, u FrameUse) bool {
	lock(&buddy.lock)
	n := cacheBatch
	if buddy.free < buddy.reserve+cacheBatch {
		// Into the reserve only for the kernel, and frame by frame: what
		// lay in stock would go to the next user.
		n = 1
		if u > UseKernel {
			n = 0
		}
	}
	for ; n > 0; n-- {
		f := buddyTake(0)
		if f == 0 {
			break
		}
		c.frames.stock[c.frames.n] = f
		c.frames.n++
	}
	unlock(&buddy.lock)
	if c.frames.n == 0 && c.frames.nzero > 0 { // the last ones
		c.frames.nzero--
		c.frames.stock[0] = c.frames.zero[c.frames.nzero]
		c.frames.n = 1
	}
	return c.frames.n > 0
}

// freeFrame puts a frame without references into stock.
//
//go:nosplit
func freeFrame(f Frame, m *frameMeta) {
	u := FrameUse(m.word.Load() >> metaUseShift)
	m.word.Store(0)
	s := pin()
	c := thisCPU()
	if c.frames.n == cacheSize {
		lock(&buddy.lock)
		for range cacheBatch {
			c.frames.n--
			buddyGive(c.frames.stock[c.frames.n], 0)
		}
		unlock(&buddy.lock)
	}
	c.frames.stock[c.frames.n] = f
	c.frames.n++
	c.frames.used[u]--
	unpin(s)
}
