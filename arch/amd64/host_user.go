//go:build !tamarix

package amd64

import (
	"bytes"
	"sync"
	"sync/atomic"
	"unsafe"
)

// EnterUser needs ring 0.
func EnterUser(u *UserContext) Reason { panic("EnterUser: not on the machine") }

// Settle has nothing to do on the host.
func (u *UserContext) Settle(Reason) bool { return false }

// Kick makes the thread leave ring 3 soon, if it is there.
func (u *UserContext) Kick() {}

func (u *UserContext) dropExtended() {}

// There are no registers to move to and from frames on the host.
func (u *UserContext) putFrameImage(*PageTable, uint64) bool  { return false }
func (u *UserContext) takeFrameImage(*PageTable, uint64) bool { return false }

// mxcsrMask are the MXCSR bits the CPU allows.
var mxcsrMask uint32 = 0xffff

// XFeatures returns XCR0: the state components users have.
func XFeatures() uint64 { return xfeatureX87 | xfeatureSSE }

// hostXSaveSize is what XSaveSize returns; tests change it.
var hostXSaveSize = xsaveMinimum

// XSaveSize returns the size of the XSAVE image for XFeatures.
func XSaveSize() int { return hostXSaveSize }

func frameOf(p unsafe.Pointer) Frame { return Frame(uintptr(p) - uintptr(hostArena)) }

// hostCopy is held for reading by a copy that touches user memory, and taken by
// a flush: that returns, as on the machine, when no copy goes on with a
// translation that was taken away before.
var hostCopy sync.RWMutex

// hostWalk finds a user byte by walking the table as the CPU would. hostCopy is
// held.
func hostWalk(root Frame, va uint64, write bool) unsafe.Pointer {
	pt := PageTable{root: root}
	p, state := pt.Leaf(va)
	if p == nil {
		return nil
	}
	for {
		e := LoadPTE(p)
		if !e.Present() || write && (state == LeafShared || !e.Writable()) {
			return nil
		}
		marked := e | pteAccessed
		if write {
			marked |= pteDirty
		}
		// Not into an entry that another goroutine has just taken away.
		if CASPTE(p, e, marked) {
			return unsafe.Pointer(&e.Frame().Page()[va&(PageSize-1)])
		}
	}
}

// userString stays within one page.

func userString(root Frame, dst unsafe.Pointer, src uint64, n int) (copied int, found bool) {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := hostWalk(root, src, false)
	if p == nil {
		return 0, false
	}
	from := unsafe.Slice((*byte)(p), n)
	if i := bytes.IndexByte(from, 0); i >= 0 {
		from, found = from[:i], true
	}
	return copy(unsafe.Slice((*byte)(dst), n), from), found
}

// Like those of the machine, the copies may end early; these do at the end of a page.

func userRead(root Frame, dst unsafe.Pointer, src uint64, n int) int {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := hostWalk(root, src, false)
	if p == nil {
		return 0
	}
	n = step(src, n)
	return copy(unsafe.Slice((*byte)(dst), n), unsafe.Slice((*byte)(p), n))
}

func userWrite(root Frame, dst uint64, src unsafe.Pointer, n int) int {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := hostWalk(root, dst, true)
	if p == nil {
		return 0
	}
	n = step(dst, n)
	return copy(unsafe.Slice((*byte)(p), n), unsafe.Slice((*byte)(src), n))
}

func userZero(root Frame, dst uint64, n int) int {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := hostWalk(root, dst, true)
	if p == nil {
		return 0
	}
	n = step(dst, n)
	clear(unsafe.Slice((*byte)(p), n))
	return n
}

func userLoad32(root Frame, addr uint64) (uint32, bool) {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := hostWalk(root, addr, false)
	if p == nil || addr&3 != 0 {
		return 0, false
	}
	return atomic.LoadUint32((*uint32)(p)), true
}

func userLoad64(root Frame, addr uint64) (uint64, bool) {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := hostWalk(root, addr, false)
	if p == nil || addr&7 != 0 {
		return 0, false
	}
	return atomic.LoadUint64((*uint64)(p)), true
}

func userStore32(root Frame, addr uint64, v uint32) bool {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := hostWalk(root, addr, true)
	if p == nil || addr&3 != 0 {
		return false
	}
	atomic.StoreUint32((*uint32)(p), v)
	return true
}

func userStore64(root Frame, addr uint64, v uint64) bool {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := hostWalk(root, addr, true)
	if p == nil || addr&7 != 0 {
		return false
	}
	atomic.StoreUint64((*uint64)(p), v)
	return true
}

func userCAS32(root Frame, addr uint64, old, new uint32) (uint32, bool) {
	hostCopy.RLock()
	defer hostCopy.RUnlock()
	p := (*uint32)(hostWalk(root, addr, true))
	if p == nil || addr&3 != 0 {
		return 0, false
	}
	for {
		cur := atomic.LoadUint32(p)
		if cur != old || atomic.CompareAndSwapUint32(p, old, new) {
			return cur, true
		}
	}
}
