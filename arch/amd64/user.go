//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"
)

// Reasons that mean nothing to the task: Settle deals with them.
const (
	reasonRemote Reason = 259 // another CPU holds the extended state
	reasonSample Reason = 260 // an interrupt took a sample, nothing else
)

// enterUser is the routine of that name in user_amd64.s, which follows Go's own
// calling convention: argument and result in AX.
var enterUser func(u *UserContext) Reason

// dropOwner saves the extended state of the context whose it is on this CPU.
// Interrupts are off.
func dropOwner()

// EnterUser runs the context in ring 3, on the calling goroutine, until
// something brings it back, and says what.
//
// The goroutine keeps its Go processor meanwhile. An interrupt aimed at the
// thread below (the runtime's preemption signal, the tick) ends the stay, so
// that garbage collection and time slices work as for any Go code; the caller
// is expected to come back soon, by way of runtime.Gosched when it was a tick.
// A reason that is neither an exception nor one of Reason* is for Settle.
func EnterUser(u *UserContext) Reason { return enterUser(u) }

// Settle does what a return that concerns only this package asks for, and
// reports whether r was one: then the context is to be entered again.
func (u *UserContext) Settle(r Reason) bool {
	if r == reasonRemote {
		u.dropExtended()
	}
	return r >= reasonRemote
}

// Kick makes the context leave ring 3 soon, wherever it runs; nothing happens
// if it does not. RequestKick before it, so that a context that is just about
// to enter is not missed.
func (u *UserContext) Kick() {
	n := NumCPU()
	if n == 1 {
		return // on the only CPU we run, not it
	}
	a := uint64(uintptr(unsafe.Pointer(u)))
	for i := range n {
		if c := cpuByIndex(i); atomic.LoadUint64(&c.user) == a {
			s := pin()
			if thisCPU() != c { // on this one, we run and it does not
				sendIPI(c.apicID, vectorRequest)
			}
			unpin(s)
		}
	}
}

// dropExtended brings the extended state and the GS base into memory, from
// whichever CPU holds them.
func (u *UserContext) dropExtended() {
	for {
		owner := atomic.LoadUint64(&u.owner)
		if owner == 0 {
			return
		}
		s := pin()
		me := thisCPU()
		if owner == me.self {
			if me.owner == uint64(uintptr(unsafe.Pointer(u))) {
				dropOwner()
			}
			unpin(s)
			continue
		}
		c := (*percpu)(unsafe.Pointer(uintptr(owner)))
		if atomic.OrUint32(&c.requests, requestDropOwner)&requestDropOwner == 0 {
			sendIPI(c.apicID, vectorRequest)
		}
		for atomic.LoadUint64(&u.owner) == owner {
			serveRequestsNoSplit(me)
			pause()
		}
		unpin(s)
	}
}

// User copies, in usercopy_amd64.s, of at most a page's worth.
//
//go:noescape
func userRead(root Frame, dst unsafe.Pointer, src uint64, n int) int

//go:noescape
func userWrite(root Frame, dst uint64, src unsafe.Pointer, n int) int

// userString copies up to the first NUL among n bytes: copied counts those before it.
//
//go:noescape
func userString(root Frame, dst unsafe.Pointer, src uint64, n int) (copied int, found bool)

func userZero(root Frame, dst uint64, n int) int

//go:noescape
func userXSave(root Frame, to uint64, u *UserContext, mask uint32) (ok bool)

//go:noescape
func userXRstor(root Frame, from uint64, u *UserContext, mask uint32) (ok bool)

// resetMXCSR loads the kernel's MXCSR.
func resetMXCSR()

func userLoad32(root Frame, addr uint64) (v uint32, ok bool)
func userLoad64(root Frame, addr uint64) (v uint64, ok bool)
func userStore32(root Frame, addr uint64, v uint32) (ok bool)
func userStore64(root Frame, addr uint64, v uint64) (ok bool)
func userCAS32(root Frame, addr uint64, old, new uint32) (cur uint32, ok bool)

// frameSoftware is what the first three of the software bytes' words are.
var frameSoftware [3]uint64

func softwareBytes() [3]uint64 {
	size := uint64(XSaveSize())
	return [3]uint64{fpMagic1 | (size+magic2Size)<<32, XFeatures(), size}
}

// putFrameImage writes the extended state to at, in the user memory of pt, as
// signal frames show it, and gives u the initial state. false: it cannot be
// done so, and u has not changed.
func (u *UserContext) putFrameImage(pt *PageTable, at uint64) bool {
	return frameMask != 0 && at <= UserTop-PageSize && userXSave(pt.root, at, u, frameMask)
}

// takeFrameImage takes the extended state from the image at at. false: it has to
// be looked at more closely, and u's own is lost.
func (u *UserContext) takeFrameImage(pt *PageTable, at uint64) bool {
	if frameMask == 0 || at > UserTop-PageSize {
		return false
	}
	if userXRstor(pt.root, at, u, frameMask) {
		return true
	}
	resetMXCSR()
	return false
}

// Where user copies may fault, and where they go on then. Set once at boot.
var userCopyLow, userCopyHigh, userCopyExit uint64
