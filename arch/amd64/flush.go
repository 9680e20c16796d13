//go:build tamarix

package amd64

import "sync/atomic"

// Translation look-aside buffers are not coherent: who takes a right away from
// a mapping tells the CPUs that may have cached it, and waits until they have
// forgotten it.
//
// A CPU is told if its root is the one concerned. It cannot slip through: it
// publishes percpu.root before it writes CR3, which serializes, so either we
// see the new root, or its walk sees the new entry. A CPU without work may do it
// later, see idle.go.

const (
	requestDropOwner   = 1 << iota // save the extended state and forget whose it was
	requestLeaveRoot               // load the kernel's root if leavingRoot is loaded
	requestEnableXSAVE             // see late.go
	requestProfile                 // set the time of the first sample
	requestClock                   // say what the clock is here (clock_watch.go)
)

// flushSingly is up to how many pages are forgotten one by one; beyond, all are.
const flushSingly = 32

var shootdowns uint64 // atomic

// Shootdowns counts flushes that were asked of other CPUs.
func Shootdowns() uint64 { return atomic.LoadUint64(&shootdowns) }

// flushRange makes all CPUs that use root (0: every CPU) forget their
// translations of lo to hi, inclusive, and returns when they have.
//
// lazy says that nothing but leaf entries of user addresses has changed: CPUs
// without work may then wait with it until they have some.
//
//go:nosplit
func flushRange(root Frame, lo, hi uint64, lazy bool) { flush(root, lo, hi, nil, lazy) }

// flushPages is flushRange, lazily, for single pages.
//
//go:nosplit
func flushPages(root Frame, vas []uint64) {
	lo, hi := vas[0], vas[0]
	for _, va := range vas {
		lo, hi = min(lo, va), max(hi, va)
	}
	flush(root, lo, hi, vas, true)
}

// flush does the work of flushRange. If the range is long and only some pages
// of it matter, these are in vas: this CPU forgets them one by one.
//
//go:nosplit
func flush(root Frame, lo, hi uint64, vas []uint64, lazy bool) {
	s := pin()
	me := thisCPU()
	n := NumCPU()
	asked := 0
	var wanted [MaxCPUs / 64]uint64 // CPUs that were asked
	for i := range n {
		c := cpuByIndex(i)
		if c == me || root != 0 && atomic.LoadUint64(&c.root) != uint64(root) {
			continue
		}
		if lazy && flushWhenBusy(c) {
			continue
		}
		lockRaw(&c.flushLock)
		if c.flushWanted == atomic.LoadUint64(&c.flushDone) {
			c.flushLow, c.flushHigh = lo, hi
		} else {
			c.flushLow, c.flushHigh = min(c.flushLow, lo), max(c.flushHigh, hi)
		}
		c.flushWanted++
		unlock(&c.flushLock)
		sendIPI(c.apicID, vectorRequest)
		wanted[i/64] |= 1 << (i & 63)
		asked++
	}
	if root == 0 || me.root == uint64(root) {
		for _, va := range vas {
			invlpg(va)
		}
		if vas == nil {
			flushLocal(lo, hi)
		}
	}
	if asked > 0 {
		atomic.AddUint64(&shootdowns, 1)
		for i := range n {
			if wanted[i/64]>>(i&63)&1 == 0 {
				continue
			}
			// What was wanted when we asked is at most what is wanted now.
			c := cpuByIndex(i)
			goal := atomic.LoadUint64(&c.flushWanted)
			for int64(atomic.LoadUint64(&c.flushDone)-goal) < 0 {
				serveFlush(me)
				pause()
			}
		}
	}
	unpin(s)
}

// flushLocal forgets on this CPU.
//
//go:nosplit
func flushLocal(lo, hi uint64) {
	if hi-lo > flushSingly*PageSize {
		writeCR3(readCR3())
		return
	}
	for va := lo &^ (PageSize - 1); va <= hi; va += PageSize {
		invlpg(va)
	}
}

//go:nosplit
func flushLocalPage(va uint64) {
	// Wherever this runs, the local CPU is one that may go on with the old
	// translation; if the goroutine moves, it faults once more, no harm done.
	invlpg(va)
}

// serveFlush carries out what other CPUs want this one to forget.
//
//go:nosplit
func serveFlush(c *percpu) {
	if atomic.LoadUint64(&c.flushWanted) == atomic.LoadUint64(&c.flushDone) {
		return
	}
	lockRaw(&c.flushLock)
	lo, hi, goal := c.flushLow, c.flushHigh, c.flushWanted
	flushLocal(lo, hi)
	atomic.StoreUint64(&c.flushDone, goal)
	unlock(&c.flushLock)
}

// lockRaw takes a lock whose holders never wait, without serving others.
//
//go:nosplit
func lockRaw(l *spinlock) {
	for !atomic.CompareAndSwapUint32(&l.v, 0, 1) {
		pause()
	}
}

// leavingRoot is the root that requestLeaveRoot is about. Guarded by leaveLock.
var (
	leavingRoot uint64
	leaveLock   spinlock // taken with interrupts off, before nothing
)

// leaveRoot makes sure that no CPU has root loaded.
func leaveRoot(root Frame) {
	s := pin()
	me := thisCPU()
	lock(&leaveLock)
	atomic.StoreUint64(&leavingRoot, uint64(root))
	for i := range NumCPU() {
		c := cpuByIndex(i)
		if c == me {
			loadKernelRoot(c, uint64(root))
			continue
		}
		for atomic.LoadUint64(&c.root) == uint64(root) {
			if atomic.OrUint32(&c.requests, requestLeaveRoot)&requestLeaveRoot == 0 {
				sendIPI(c.apicID, vectorRequest)
			}
			serveRequestsNoSplit(me)
			pause()
		}
	}
	unlock(&leaveLock)
	unpin(s)
}

//go:nosplit
func loadKernelRoot(c *percpu, root uint64) {
	if c.root == root {
		c.user = 0
		writeCR3(uint64(kernelRoot))
		atomic.StoreUint64(&c.root, uint64(kernelRoot))
	}
}

// serveRequests does what other CPUs have asked of this one.
func serveRequests(c *percpu) {
	serveFlush(c)
	if atomic.LoadUint32(&c.requests) != 0 {
		serveRequestsNoSplit(c)
	}
}

//go:nosplit
func serveRequestsNoSplit(c *percpu) {
	serveFlush(c)
	r := atomic.SwapUint32(&c.requests, 0)
	if r&requestLeaveRoot != 0 {
		loadKernelRoot(c, atomic.LoadUint64(&leavingRoot))
	}
	if r&requestDropOwner != 0 {
		dropOwner()
	}
	if r&requestEnableXSAVE != 0 {
		enableXSAVE()
		atomic.AddUint32(&xsaveCPUs, 1)
	}
	if r&requestProfile != 0 {
		profileArm(c)
	}
	if r&requestClock != 0 {
		answerClock()
	}
}
