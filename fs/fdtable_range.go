package fs

import "math/bits"

// CloseExec closes the descriptors marked close-on-exec: execve(2) calls it
// past its point of no return.
func (t *FDTable) CloseExec(ctx *Context) {
	for w := 0; ; w++ {
		t.mu.Lock()
		if w >= len(t.cloexec) {
			t.mu.Unlock()
			return
		}
		for t.cloexec[w]&t.used[w] != 0 {
			fd := w<<6 + bits.TrailingZeros64(t.cloexec[w]&t.used[w])
			f := t.removeLocked(fd)
			if f == nil { // reserved by a thread that no longer runs
				t.freeLocked(fd)
				continue
			}
			t.mu.Unlock()
			f.closeFD(ctx, t)
			t.mu.Lock()
		}
		t.mu.Unlock()
	}
}

// CloseRange closes the descriptors first to last, both included.
func (t *FDTable) CloseRange(ctx *Context, first, last uint32) {
	for fd := int(min(first, MaxFDs)); ; fd++ {
		var f *File
		t.mu.Lock()
		for fd = t.nextLocked(fd); fd >= 0 && fd <= int(last); fd = t.nextLocked(fd + 1) {
			if f = t.removeLocked(fd); f != nil {
				break // and not one that is only reserved
			}
		}
		t.mu.Unlock()
		if f == nil {
			return
		}
		f.closeFD(ctx, t)
	}
}

// nextLocked returns the first descriptor from fd on that is taken or reserved,
// -1 if there is none.
func (t *FDTable) nextLocked(fd int) int {
	for w := fd >> 6; w < len(t.used); w++ {
		used := t.used[w]
		if w == fd>>6 {
			used &= ^uint64(0) << (uint(fd) & 63)
		}
		if used != 0 {
			return w<<6 + bits.TrailingZeros64(used)
		}
	}
	return -1
}

// SetCloseOnExecRange marks the descriptors first to last (close_range(2) with CLOSE_RANGE_CLOEXEC).
func (t *FDTable) SetCloseOnExecRange(first, last uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.slots.Load().f
	for fd := int(min(first, MaxFDs)); fd < len(s) && fd <= int(last); fd++ {
		if s[fd].Load() != nil {
			t.cloexec[fd>>6] |= 1 << (uint(fd) & 63)
		}
	}
}
