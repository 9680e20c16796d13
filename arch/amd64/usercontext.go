package amd64

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// UserContext is the register file of one user thread, and what the entry and
// exit routines need to know beside it. It lives in a frame of its own, free
// of pointers, and never moves: the entry code stores into it with interrupts
// off and no Go around.
//
// It is owned by the goroutine that runs the thread. Others may call Kick,
// RequestKick and ClearKick, nothing else, and must know that it is not freed.
type UserContext struct {
	// The arguments of a system call in their order (System V ABI, AMD64
	// supplement, A.2.1): Args.
	DI, SI, DX, R10, R8, R9 uint64

	AX, BX, CX, BP, SP, R11 uint64
	R12, R13, R14, R15      uint64
	IP, Flags               uint64

	FS, GS uint64 // segment bases. GS is current only after saveExtended.

	root Frame  // page table to run on
	full uint32 // leave by IRET: all registers matter, RCX and R11 too

	// pending makes EnterUser return ReasonKick at once. Atomic; any goroutine.
	pending uint32

	vector, errorCode, faultAddr uint64 // of the last exception

	// The way back into the kernel, set at each EnterUser.
	kernelSP, kernelBP, kernelFS uint64

	mxcsr uint32 // the user's; the copy in the XSAVE image may be stale
	_     uint32

	// owner is the percpu of the CPU whose registers hold the extended state
	// (all but XMM0-15 and MXCSR) and the GS base; 0: they are in memory here.
	// Set and cleared by that CPU only, cleared last.
	owner uint64

	// userTime is time spent in ring 3 as seen by the ticks, in ns. Atomic add
	// by the CPU that runs it.
	userTime int64

	// label is the name of the program, for profiles (profile.go). Owner's;
	// the profiler's interrupt reads it.
	label [2]uint64

	_ [248]byte

	// xsave is an XSAVE image in the standard format (SDM vol. 1, 13.4). The
	// XMM part is stored at every entry, the rest when the state moves.
	xsave [PageSize - xsaveOffset]byte
}

// xsaveOffset is where the image lies in the frame: XSAVE wants 64-byte alignment.
const xsaveOffset = 512

// The layout is what it must be, or this does not compile.
var (
	_ [0]struct{} = [unsafe.Offsetof(UserContext{}.xsave) - xsaveOffset]struct{}{}
	_ [0]struct{} = [unsafe.Sizeof(UserContext{}) - PageSize]struct{}{}
)

// Places in the XSAVE image (SDM vol. 1, tables 10-2 and 13.4.2).
const (
	fxControl    = 0
	fxMXCSR      = 24
	fxMXCSRMask  = 28
	fxST         = 32
	fxXMM        = 160
	fxSize       = 512
	xsaveHeader  = 512
	xsaveXCompBV = 520
	xsaveMinimum = 576

	defaultMXCSR   = 0x1f80
	defaultControl = 0x37f
)

// State components (SDM vol. 1, 13.1).
const (
	xfeatureX87  = 1 << 0
	xfeatureSSE  = 1 << 1
	xfeatureAVX  = 1 << 2
	xfeatureMask = 1<<0 | 1<<1 | 1<<2 | 7<<5 // what we give to users: and opmask, ZMM_Hi256, Hi16_ZMM
)

// RFLAGS (SDM vol. 1, 3.4.3).
const (
	flagFixed = 1 << 1
	flagTF    = 1 << 8
	flagIF    = 1 << 9
	flagRF    = 1 << 16
	flagAC    = 1 << 18

	// flagsUser are the bits a user may choose: CF PF AF ZF SF TF DF OF NT RF AC ID.
	flagsUser = 0x1 | 0x4 | 0x10 | 0x40 | 0x80 | flagTF | 0x400 | 0x800 | 0x4000 | flagRF | flagAC | 1<<21
)

// Reason says why EnterUser came back. Below 32 it is the number of a CPU
// exception.
type Reason uint64

const (
	ReasonPageFault Reason = 14
	ReasonSyscall   Reason = 256
	ReasonInterrupt Reason = 257 // an interrupt was handled; time to look around (Gosched)
	ReasonKick      Reason = 258 // pending was set
)

// NewUserContext makes a context with all registers zero; false if there is no
// memory. Free it with Free.
func NewUserContext() (*UserContext, bool) {
	f, ok := AllocZeroFrame(UseKernel)
	if !ok {
		return nil, false
	}
	u := (*UserContext)(unsafe.Pointer(f.Page()))
	u.Reset(0, 0)
	return u, true
}

// Free gives the context's frame back. The thread must not run any more.
func (u *UserContext) Free() {
	u.forgetExtended()
	frameOf(unsafe.Pointer(u)).Unref()
}

// Reset makes the context that of a program about to start at entry with
// stack sp: all other registers zero, extended state at its defaults.
func (u *UserContext) Reset(entry, sp uint64) {
	u.forgetExtended()
	// All but root, pending, which others may be setting, and userTime.
	b := (*[PageSize]byte)(unsafe.Pointer(u))
	clear(b[:unsafe.Offsetof(u.root)])
	clear(b[unsafe.Offsetof(u.vector):unsafe.Offsetof(u.userTime)])
	clear(b[xsaveOffset : xsaveOffset+XSaveSize()])
	u.IP, u.SP = entry, sp
	u.Flags = flagIF | flagFixed
	u.full = 1
	u.mxcsr = defaultMXCSR
	put16(&u.xsave, fxControl, defaultControl)
	put32(&u.xsave, fxMXCSR, defaultMXCSR)
}

// Clone makes a context that is the same as u, the caller's own, in everything
// a program can see: fork and clone. False if there is no memory.
func (u *UserContext) Clone() (*UserContext, bool) {
	f, ok := AllocFrame(UseKernel)
	if !ok {
		return nil, false
	}
	n := (*UserContext)(unsafe.Pointer(f.Page()))
	u.saveExtended()
	used := xsaveOffset + XSaveSize() // nobody looks at what is beyond
	copy((*[PageSize]byte)(unsafe.Pointer(n))[:used], (*[PageSize]byte)(unsafe.Pointer(u))[:used])
	n.owner, n.pending, n.userTime = 0, 0, 0
	n.kernelSP, n.kernelBP, n.kernelFS = 0, 0, 0
	return n, true
}

// SetPageTable says which address space the context runs in.
func (u *UserContext) SetPageTable(pt *PageTable) {
	u.saveExtended()
	u.dropExtended()
	u.root = pt.root
}

// SyscallNr returns the number of the system call the thread made. The upper
// half of RAX does not count.
func (u *UserContext) SyscallNr() uint32 { return uint32(u.AX) }

// Args returns the arguments of the system call the thread made, in place: for
// reading, until the registers change.
func (u *UserContext) Args() *[6]uint64 { return (*[6]uint64)(unsafe.Pointer(&u.DI)) }

// SetReturn sets what the system call returns.
func (u *UserContext) SetReturn(v uint64) { u.AX = v }

// Return returns what SetReturn set.
func (u *UserContext) Return() uint64 { return u.AX }

// SetChildReturn makes the child's clone or fork return 0.
func (u *UserContext) SetChildReturn() { u.AX = 0 }

// syscallLength is the length of the SYSCALL instruction.
const syscallLength = 2

// RestartSyscall makes the thread execute its SYSCALL instruction again, with
// nr as the call's number.
func (u *UserContext) RestartSyscall(nr uint64) {
	u.AX = nr
	u.SetIP(u.IP - syscallLength)
}

func (u *UserContext) GetIP() uint64 { return u.IP }
func (u *UserContext) SetIP(ip uint64) {
	u.makeFull()
	u.IP = ip
}

// makeFull makes the next exit restore all registers. After a system call, RCX
// and R11 are what SYSCALL left in them.
func (u *UserContext) makeFull() {
	if u.full == 0 {
		u.CX, u.R11, u.full = u.IP, u.Flags, 1
	}
}
func (u *UserContext) GetSP() uint64   { return u.SP }
func (u *UserContext) SetSP(sp uint64) { u.SP = sp }

// SetFlags sets RFLAGS, as far as a user may.
func (u *UserContext) SetFlags(f uint64) {
	u.makeFull()
	u.Flags = f&flagsUser | flagIF | flagFixed
}

// TLS returns the FS base, SetTLS sets it. It must be below UserTop.
func (u *UserContext) TLS() uint64 { return u.FS }
func (u *UserContext) SetTLS(base uint64) {
	u.FS = base
}

// GSBase returns the GS base, SetGSBase sets it. It must be below UserTop.
func (u *UserContext) GSBase() uint64 {
	u.saveExtended()
	return u.GS
}
func (u *UserContext) SetGSBase(base uint64) {
	u.saveExtended()
	u.dropExtended()
	u.GS = base
}

// UserTime returns the nanoseconds of ring 3 that ticks have counted.
func (u *UserContext) UserTime() int64 { return atomic.LoadInt64(&u.userTime) }

// RequestKick makes this and every further EnterUser return ReasonKick until
// ClearKick. It does not reach into ring 3: Kick does, after this.
func (u *UserContext) RequestKick() { atomic.StoreUint32(&u.pending, 1) }

// ClearKick takes RequestKick back.
func (u *UserContext) ClearKick() { atomic.StoreUint32(&u.pending, 0) }

// Fault returns the address and the kind of the page fault that brought the
// thread back.
func (u *UserContext) Fault() (addr uint64, access Access) {
	// Error code: SDM vol. 3A, 4.7.
	if u.errorCode&1 != 0 {
		access |= AccessPresent
	}
	if u.errorCode&2 != 0 {
		access |= AccessWrite
	}
	if u.errorCode&16 != 0 {
		access |= AccessExec
	}
	return u.faultAddr, access
}

// ExceptionCode returns the vector and error code of the last exception, as
// they appear in a signal frame's trapno and err.
func (u *UserContext) ExceptionCode() (vector, code uint64) { return u.vector, u.errorCode }

// Exception says which signal a CPU exception is, as Linux has it
// (arch/x86/kernel/traps.c documents the choice; siginfo codes from unix).
func (u *UserContext) Exception(r Reason) (sig unix.Signal, code int32, addr uint64) {
	const siKernel = 0x80 // SI_KERNEL, asm-generic/siginfo.h
	switch r {
	case 0:
		return unix.SIGFPE, 1, u.IP // FPE_INTDIV
	case 1:
		return unix.SIGTRAP, 2, u.IP // TRAP_TRACE
	case 3:
		return unix.SIGTRAP, siKernel, 0
	case 4:
		return unix.SIGSEGV, siKernel, 0
	case 5:
		return unix.SIGSEGV, siKernel, 0
	case 6:
		return unix.SIGILL, 2, u.IP // ILL_ILLOPN
	case 11, 12:
		return unix.SIGBUS, siKernel, 0
	case 16:
		return unix.SIGFPE, u.x87Code(), u.IP
	case 17:
		return unix.SIGBUS, 1, 0 // BUS_ADRALN
	case 19:
		return unix.SIGFPE, sseCode(u.mxcsr), u.IP
	}
	return unix.SIGSEGV, siKernel, 0
}

// fpeCode turns the exceptions raised and not masked into FPE_* of siginfo.h:
// invalid, denormal, divide, overflow, underflow, precision from bit 0 on.
func fpeCode(raised uint32) int32 {
	switch {
	case raised&1 != 0:
		return 7 // FPE_FLTINV
	case raised&4 != 0:
		return 3 // FPE_FLTDIV
	case raised&8 != 0:
		return 4 // FPE_FLTOVF
	case raised&(16|2) != 0:
		return 5 // FPE_FLTUND
	case raised&32 != 0:
		return 6 // FPE_FLTRES
	}
	return 14 // FPE_FLTUNK
}

func sseCode(mxcsr uint32) int32 { return fpeCode(mxcsr &^ (mxcsr >> 7) & 0x3f) }

func (u *UserContext) x87Code() int32 {
	u.saveExtended()
	control, status := get16(&u.xsave, fxControl), get16(&u.xsave, fxControl+2)
	return fpeCode(uint32(status&^control) & 0x3f)
}

// saveExtended makes the XSAVE image complete and current, wherever the state
// is, and returns it in the length that XCR0 wants. It stays current until the
// next EnterUser.
func (u *UserContext) saveExtended() []byte {
	u.dropExtended()
	put32(&u.xsave, fxMXCSR, u.mxcsr)
	u.xsave[xsaveHeader] |= xfeatureSSE
	return u.xsave[:XSaveSize()]
}

// extendedChanged says that the image was rewritten in memory. What a user can
// have put there is made harmless: XRSTOR faults on bits it does not like.
func (u *UserContext) extendedChanged() {
	u.dropExtended()
	h := u.xsave[xsaveHeader:xsaveMinimum]
	bv := *(*uint64)(unsafe.Pointer(&h[0])) & XFeatures()
	clear(h)
	*(*uint64)(unsafe.Pointer(&h[0])) = bv
	if bv&xfeatureSSE == 0 && XSaveSize() > fxSize { // FXSAVE's image has no header: all of it counts
		clear(u.xsave[fxXMM : fxXMM+256])
	}
	u.mxcsr = get32(&u.xsave, fxMXCSR) & mxcsrMask
	put32(&u.xsave, fxMXCSR, u.mxcsr)
}

// forgetExtended makes the CPU that holds the state forget it.
func (u *UserContext) forgetExtended() { u.dropExtended() }

func put16(p *[PageSize - xsaveOffset]byte, at int, v uint16) {
	p[at], p[at+1] = byte(v), byte(v>>8)
}
func put32(p *[PageSize - xsaveOffset]byte, at int, v uint32) {
	put16(p, at, uint16(v))
	put16(p, at+2, uint16(v>>16))
}
func get16(p *[PageSize - xsaveOffset]byte, at int) uint16 {
	return uint16(p[at]) | uint16(p[at+1])<<8
}
func get32(p *[PageSize - xsaveOffset]byte, at int) uint32 {
	return uint32(get16(p, at)) | uint32(get16(p, at+2))<<16
}
