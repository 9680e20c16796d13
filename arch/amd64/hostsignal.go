//go:build tamarix

package amd64

import (
	"sync/atomic"
	"unsafe"
)

// Signals, as far as the Go runtime wants them: SIGURG to preempt a thread,
// and faults turned into panics. The frame is Linux's rt_sigframe.

// action is the kernel's struct sigaction (asm/signal.h).
type action struct{ handler, flags, restorer, mask uint64 }

// signals is written before any signal can come (the runtime installs its
// handlers once, at its start).
var signals [65]action

func signalAction(sig, new, old uint64) uint64 {
	if sig == 0 || sig > 64 {
		return negErrno(einval)
	}
	if old != 0 {
		*(*action)(unsafe.Pointer(uintptr(old))) = signals[sig]
	}
	if new != 0 {
		signals[sig] = *(*action)(unsafe.Pointer(uintptr(new)))
	}
	return 0
}

func signalMask(t *kthread) uint64 {
	if t.DX != 0 {
		*wordAt(t.DX) = t.mask
	}
	if t.SI != 0 {
		switch v := *wordAt(t.SI); t.DI {
		case 0: // SIG_BLOCK
			t.mask |= v
		case 1: // SIG_UNBLOCK
			t.mask &^= v
		case 2: // SIG_SETMASK
			t.mask = v
		}
	}
	return 0
}

func signalStack(t *kthread) uint64 {
	if t.SI != 0 {
		*wordAt(t.SI) = t.altStack
		*wordAt(t.SI + 8) = 0
		if t.altStack == 0 {
			*halfAt(t.SI + 8) = 2 // SS_DISABLE
		}
		*wordAt(t.SI + 16) = t.altSize
	}
	if t.DI != 0 {
		t.altStack, t.altSize = 0, 0
		if *halfAt(t.DI + 8)&2 == 0 {
			t.altStack, t.altSize = *wordAt(t.DI), *wordAt(t.DI + 16)
		}
	}
	return 0
}

// signalThread posts sig to the thread with number tid. If it runs on another
// CPU, an interrupt makes it look.
func signalThread(c *percpu, tid, sig uint64) uint64 {
	t := threadByTID(tid)
	if t == nil || sig == 0 || sig > 64 {
		return negErrno(esrch)
	}
	atomic.OrUint64(&t.pending, 1<<(sig-1))
	for i := range NumCPU() {
		if o := cpuByIndex(i); o != c && atomic.LoadUint64(&o.current) == t.addr() {
			sendIPI(o.apicID, vectorRequest)
		}
	}
	return 0
}

// deliverPending makes t run the handler of a pending signal next.
func deliverPending(t *kthread) {
	if t.Flags&flagIF == 0 || t.isIdle != 0 {
		return // inside a pinned section; the next trap sees to it
	}
	for sig := uint64(1); sig <= 64; sig++ {
		bit := uint64(1) << (sig - 1)
		if t.pending&bit == 0 || t.mask&bit != 0 {
			continue
		}
		atomic.AndUint64(&t.pending, ^bit)
		if signals[sig].handler > 1 {
			const siTKill = ^uint64(5) // SI_TKILL, -6
			sendSignal(t, sig, siTKill, 0)
		}
		return
	}
}

// Places in struct ucontext (asm/ucontext.h): the registers begin at 40.
const (
	ucRegisters = 40
	ucMask      = ucRegisters + 32*8
	ucSize      = 512 // more than it needs
)

// sendSignal makes thread t enter the handler of sig with a signal frame.
func sendSignal(t *kthread, sig, code, addr uint64) {
	a := &signals[sig]
	if t.full == 0 {
		// After a system call the vector registers are dead.
		t.xmm = [16][2]uint64{}
		t.CX, t.R11 = t.IP, t.Flags
	}
	sp := t.SP
	const onStack = 0x08000000 // SA_ONSTACK
	if a.flags&onStack != 0 && t.altStack != 0 && !(sp > t.altStack && sp <= t.altStack+t.altSize) {
		sp = t.altStack + t.altSize
	}
	sp = (sp - fxSize) &^ 63
	fx := sp
	clearWords(fx, fxSize)
	*halfAt(fx) = defaultControl
	*halfAt(fx + fxMXCSR) = defaultMXCSR
	*(*[16][2]uint64)(unsafe.Pointer(uintptr(fx + fxXMM))) = t.xmm

	sp -= 128 // siginfo_t
	info := sp
	clearWords(info, 128)
	*halfAt(info) = uint32(sig)
	*halfAt(info + 8) = uint32(code)
	*wordAt(info + 16) = addr

	sp = (sp - ucSize) &^ 15
	uc := sp
	clearWords(uc, ucSize)
	regs := [...]uint64{
		t.R8, t.R9, t.R10, t.R11, t.R12, t.R13, t.R14, t.R15, t.DI, t.SI, t.BP, t.BX, t.DX, t.AX, t.CX,
		t.SP, t.IP, t.Flags, selKernelCode, t.errorCode, t.vector, t.mask, addr, fx,
	}
	for i, v := range regs {
		*wordAt(uc + ucRegisters + uint64(i)*8) = v
	}
	*wordAt(uc + ucMask) = t.mask
	sp -= 8
	*wordAt(sp) = a.restorer

	t.mask |= a.mask | 1<<(sig-1)
	t.SP, t.IP = sp, a.handler
	t.DI, t.SI, t.DX = sig, info, uc
	t.Flags = flagIF | flagFixed
	t.full = 1
}

// signalReturn restores what the frame holds, as the handler left it. It
// returns what is to be in AX.
func signalReturn(t *kthread) uint64 {
	uc := t.SP
	r := (*[24]uint64)(unsafe.Pointer(uintptr(uc + ucRegisters)))
	t.R8, t.R9, t.R10, t.R11 = r[0], r[1], r[2], r[3]
	t.R12, t.R13, t.R14, t.R15 = r[4], r[5], r[6], r[7]
	t.DI, t.SI, t.BP, t.BX, t.DX = r[8], r[9], r[10], r[11], r[12]
	t.CX, t.SP, t.IP, t.Flags = r[14], r[15], r[16], r[17]|flagIF
	t.xmm = *(*[16][2]uint64)(unsafe.Pointer(uintptr(r[23] + fxXMM)))
	t.mask = *wordAt(uc + ucMask)
	t.full = 1
	return r[13]
}

func clearWords(a, n uint64) {
	for i := uint64(0); i < n; i += 8 {
		*wordAt(a + i) = 0
	}
}
