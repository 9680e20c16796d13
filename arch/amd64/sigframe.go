package amd64

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The frame that a signal handler finds on its stack, exactly as Linux lays it
// out on x86-64 (UAPI asm/sigcontext.h, asm/ucontext.h, sigreturn(2)): unwinders,
// language runtimes and rt_sigreturn(2) all read it. From low to high
// addresses:
//
//	SP ->  return address     8   sa_restorer
//	       struct ucontext  304   flags, link, stack_t, sigcontext, mask
//	       siginfo_t        128
//	       (padding)              SP+8 is a multiple of 16, as after a CALL
//	       XSAVE image            a multiple of 64; software bytes at 464
//	       magic2             4
//	       (red zone)       128   the interrupted function's, left alone

// FrameHead is the frame without the XSAVE image: struct rt_sigframe.
type FrameHead struct {
	ret     uint64 // sa_restorer: where the handler returns to
	ucFlags uint64
	ucLink  uint64
	altSP   uint64 // uc_stack
	altFlag uint32
	_       uint32
	altSize uint64

	// struct sigcontext
	r8, r9, r10, r11, r12, r13, r14, r15 uint64
	di, si, bp, bx, dx, ax, cx, sp, ip   uint64
	flags                                uint64
	cs, gs, fs, ss                       uint16
	errorCode, vector, oldMask, cr2      uint64
	fpstate                              uint64
	_                                    [8]uint64

	mask uint64 // uc_sigmask
	Info [128]byte
}

// Sizes, and what else the ABI fixes.
const (
	frameUC    = unsafe.Offsetof(FrameHead{}.ucFlags)
	frameInfo  = unsafe.Offsetof(FrameHead{}.Info)
	frameSize  = unsafe.Sizeof(FrameHead{})
	redZone    = 128     // System V ABI, AMD64 supplement, 3.2.2
	fxSoftware = 464     // struct _fpx_sw_bytes
	frameSlack = 63 + 15 // for the two alignments
	magic2Size = 4       // after the image

	fpMagic1 = 0x46505853 // FP_XSTATE_MAGIC1
	fpMagic2 = 0x46505845 // FP_XSTATE_MAGIC2

	ucXState   = 1 // UC_FP_XSTATE
	ucSS       = 2 // UC_SIGCONTEXT_SS
	ucStrictSS = 4 // UC_STRICT_RESTORE_SS

	linuxUserCS  = 0x33                             // __USER_CS, the selectors programs know
	linuxUserDS  = 0x2b                             // __USER_DS
	flagsReturn  = 0x50dd5                          // FIX_EFLAGS of asm/sighandling.h: AC RF OF DF TF SF ZF AF PF CF
	flagsHandler = ^uint64(0x400 | flagTF | flagRF) // DF, TF, RF are clear in a handler
)

// AltStack is stack_t of sigaltstack(2).
type AltStack struct {
	SP    uint64
	Flags uint32 // SS_*
	Size  uint64
}

// Flags of AltStack that matter here (UAPI linux/signal.h).
const (
	ssDisable    = 2
	ssAutodisarm = 1 << 31
)

// Contains reports whether sp is on the stack, so that a handler that begins
// now has to go on below it. With SS_AUTODISARM it never is: the stack is
// given up while a handler uses it.
func (s *AltStack) Contains(sp uint64) bool {
	return s.Flags&(ssAutodisarm|ssDisable) == 0 && s.holds(sp)
}

func (s *AltStack) holds(sp uint64) bool { return sp > s.SP && sp-s.SP <= s.Size }

// SignalFrame says which handler is to run, and where its frame goes.
type SignalFrame struct {
	Signal   int32
	Handler  uint64
	Restorer uint64
	Mask     uint64   // blocked signals to restore
	AltStack AltStack // the thread's; Size 0: none
	OnStack  bool     // SA_ONSTACK

	// Set by PlaceFrame: where the head and the XSAVE image belong.
	SP, FP uint64
	// Set by PutImage: the thread has the handler's extended state already.
	fresh bool
}

// SignalStackMin returns the size of the largest frame, AT_MINSIGSTKSZ of
// getauxval(3).
func SignalStackMin() uint64 {
	return (uint64(frameSize) + uint64(XSaveSize()) + magic2Size + frameSlack + 15) &^ 15
}

// hasXSAVE reports whether images have the XSAVE header, and frames say so.
func hasXSAVE() bool { return XSaveSize() > fxSize }

// A handler is started in four steps, between which the caller copies to user
// memory: PlaceFrame finds the place, FillFrame makes what belongs at f.SP,
// PutImage writes to f.FP from the registers or, where it cannot, FrameImage is
// what belongs there, StartHandler turns the registers. Until the image has been
// written the thread has not changed.

// PlaceFrame finds room below the thread's stack pointer, or on its alternate
// stack: EFAULT if there is none.
func (u *UserContext) PlaceFrame(f *SignalFrame) error {
	sp := u.SP - redZone
	nested := f.AltStack.Contains(u.SP)
	entering := f.OnStack && !nested && f.AltStack.Size != 0
	if entering {
		sp = f.AltStack.SP + f.AltStack.Size
	}
	u.makeFull()
	f.FP = (sp - imageSize()) &^ 63
	f.SP = (f.FP-uint64(frameSize))&^15 - 8
	if (nested || entering) && !f.AltStack.holds(f.SP) || f.SP >= UserTop || f.FP >= UserTop {
		return unix.EFAULT
	}
	return nil
}

// imageSize is the length of the XSAVE image in a frame.
func imageSize() uint64 {
	if !hasXSAVE() {
		return uint64(XSaveSize())
	}
	return uint64(XSaveSize()) + magic2Size
}

// PutImage writes the image to f.FP from where the state mostly is, the
// registers, and gives the thread fresh ones. It reports whether it could;
// otherwise, as when memory is missing, nothing has happened to the thread.
func (u *UserContext) PutImage(pt *PageTable, f *SignalFrame) bool {
	f.fresh = u.putFrameImage(pt, f.FP)
	return f.fresh
}

// FrameImage returns the extended state as frames show it. The slice is good
// until StartHandler.
func (u *UserContext) FrameImage() []byte {
	u.prepareImage(u.saveExtended())
	return u.xsave[:imageSize()]
}

// FillFrame writes everything but the siginfo into b, which has been used for
// nothing else: what is always zero is left alone.
func (u *UserContext) FillFrame(b *FrameHead, f *SignalFrame) {
	b.ret = f.Restorer
	b.ucFlags = ucSS | ucStrictSS
	if hasXSAVE() {
		b.ucFlags |= ucXState
	}
	b.altSP, b.altFlag, b.altSize = f.AltStack.SP, f.AltStack.Flags, f.AltStack.Size
	b.r8, b.r9, b.r10, b.r11 = u.R8, u.R9, u.R10, u.R11
	b.r12, b.r13, b.r14, b.r15 = u.R12, u.R13, u.R14, u.R15
	b.di, b.si, b.bp, b.bx = u.DI, u.SI, u.BP, u.BX
	b.dx, b.ax, b.cx, b.sp, b.ip = u.DX, u.AX, u.CX, u.SP, u.IP
	b.flags = u.Flags
	b.cs, b.ss = linuxUserCS, linuxUserDS
	b.errorCode, b.vector, b.cr2 = u.errorCode, u.vector, u.faultAddr
	b.oldMask, b.mask = f.Mask, f.Mask
	b.fpstate = f.FP
}

// Bytes returns the frame as it lies in memory, with the siginfo or without.
func (b *FrameHead) Bytes(info bool) []byte {
	p := (*[frameSize]byte)(unsafe.Pointer(b))
	if info {
		return p[:]
	}
	return p[:frameInfo]
}

// StartHandler turns the thread's registers to the handler, whose frame has
// been written, with fresh extended state.
func (u *UserContext) StartHandler(f *SignalFrame) {
	u.DI, u.SI, u.DX = uint64(uint32(f.Signal)), f.SP+uint64(frameInfo), f.SP+uint64(frameUC)
	u.AX = 0
	u.SP = f.SP
	u.IP = f.Handler
	u.Flags &= flagsHandler
	if !f.fresh {
		u.initExtended()
	}
	if f.Handler < UserTop {
		u.full = 0 // SYSRET will do: a handler finds nothing in RCX and R11
	}
}

// prepareImage makes image fit to be seen: the legacy part is marked as valid
// even where it is in its initial state, for programs that edit it, and the
// bytes left to software say how far the image goes.
func (u *UserContext) prepareImage(image []byte) {
	le := binary.LittleEndian
	sw := image[fxSoftware:fxSize]
	clear(sw)
	if !hasXSAVE() {
		return
	}
	bv := le.Uint64(image[xsaveHeader:])
	if bv&xfeatureX87 == 0 {
		u.initX87()
	}
	le.PutUint64(image[xsaveHeader:], bv|xfeatureX87|xfeatureSSE)
	le.PutUint32(image[fxMXCSRMask:], mxcsrMask)
	le.PutUint32(sw[0:], fpMagic1)
	le.PutUint32(sw[4:], uint32(len(image)+magic2Size))
	le.PutUint64(sw[8:], XFeatures())
	le.PutUint32(sw[16:], uint32(len(image)))
	put32(&u.xsave, len(image), fpMagic2)
}

// initX87 gives the x87 part of the image its initial content.
func (u *UserContext) initX87() {
	clear(u.xsave[:fxMXCSR])
	clear(u.xsave[fxST:fxXMM])
	put16(&u.xsave, fxControl, defaultControl)
}

// initExtended puts the extended state into its initial configuration.
func (u *UserContext) initExtended() {
	u.dropExtended() // or it would overwrite what follows
	u.initX87()
	put32(&u.xsave, fxMXCSR, defaultMXCSR)
	clear(u.xsave[fxXMM:fxSoftware])
	clear(u.xsave[xsaveHeader:xsaveMinimum])
	u.extendedChanged()
}

// rt_sigreturn(2) takes the registers back in three steps: the caller copies
// the head of the frame from FrameAddress, and hands it to CheckFrame; it has
// TakeImage load the image or, where that cannot be, copies it into what
// FrameSpace gives, and hands the number of bytes to RestoreImage; then comes
// RestoreFrame. Nothing in the frame is trusted. On an
// error the registers may be anything but harmful.

// FrameAddress returns where the head of the frame is that the handler's return
// has left: its return address is gone from the stack.
func (u *UserContext) FrameAddress() uint64 { return u.SP - uint64(frameUC) }

// CheckFrame returns where the XSAVE image of a frame is, 0 for none. EFAULT:
// it cannot be a frame.
func (u *UserContext) CheckFrame(b *FrameHead) (fp uint64, err error) {
	if b.cs|3 != linuxUserCS {
		return 0, unix.EFAULT // 32-bit code, or no code segment at all
	}
	if b.ss|3 != linuxUserDS && b.ucFlags&ucStrictSS != 0 {
		return 0, unix.EFAULT
	}
	if hasXSAVE() && b.fpstate&63 != 0 {
		return 0, unix.EFAULT
	}
	return b.fpstate, nil
}

// TakeImage loads the extended state from the image at fp straight into the
// registers, if it is one that PutImage has written. false: it is not, or could
// not be read.
func (u *UserContext) TakeImage(pt *PageTable, fp uint64) bool { return u.takeFrameImage(pt, fp) }

// FrameSpace returns where the image has to go: as much of it as there is, at
// least FrameImageMin bytes.
func (u *UserContext) FrameSpace() []byte {
	u.dropExtended() // nobody else writes into the image from here on
	return u.xsave[:imageSize()]
}

// FrameImageMin is the length of the part that every image has.
const FrameImageMin = fxSize

// RestoreImage takes the extended state from the n bytes that were copied to
// FrameSpace; 0 asks for the initial state. When the software bytes do not
// describe an XSAVE image, only the legacy part counts. A bad image leaves the
// initial state.
func (u *UserContext) RestoreImage(n int) error {
	if n == 0 {
		u.initExtended()
		return nil
	}
	if n < FrameImageMin || !u.acceptImage(n) {
		u.initExtended()
		return unix.EFAULT
	}
	u.extendedChanged()
	return nil
}

// acceptImage looks at n bytes of an image that came from user memory, and
// makes the XSAVE header right. false: XRSTOR would fault on it.
func (u *UserContext) acceptImage(n int) bool {
	le := binary.LittleEndian
	image := u.xsave[:imageSize()]
	if get32(&u.xsave, fxMXCSR)&^mxcsrMask != 0 {
		return false
	}
	if !hasXSAVE() {
		return true
	}
	sw := image[fxSoftware:fxSize]
	size, whole := le.Uint32(sw[16:]), le.Uint32(sw[4:])
	header := image[xsaveHeader:xsaveMinimum]
	if le.Uint32(sw) != fpMagic1 || size < xsaveMinimum || int(size) > XSaveSize() || size > whole ||
		int(size)+magic2Size > n || le.Uint32(image[size:]) != fpMagic2 {
		clear(image[xsaveHeader:])
		le.PutUint64(header, xfeatureX87|xfeatureSSE)
		return true
	}
	clear(image[size:])
	bv := le.Uint64(header)
	for i := 8; i < len(header); i += 8 { // XCOMP_BV and the reserved bytes
		if le.Uint64(header[i:]) != 0 {
			return false
		}
	}
	if bv&^XFeatures() != 0 {
		return false
	}
	bv &= le.Uint64(sw[8:])
	le.PutUint64(header, bv)
	if bv&xfeatureX87 == 0 {
		u.initX87()
	}
	return true
}

// RestoreFrame takes the registers from a frame that CheckFrame has passed, and
// returns the mask and the alternate stack that it asks for.
func (u *UserContext) RestoreFrame(b *FrameHead) (mask uint64, alt AltStack, err error) {
	u.full = 1 // all of them matter, whatever the system call spoiled
	u.R8, u.R9, u.R10, u.R11 = b.r8, b.r9, b.r10, b.r11
	u.R12, u.R13, u.R14, u.R15 = b.r12, b.r13, b.r14, b.r15
	u.DI, u.SI, u.BP, u.BX = b.di, b.si, b.bp, b.bx
	u.DX, u.AX, u.CX, u.SP, u.IP = b.dx, b.ax, b.cx, b.sp, b.ip
	u.SetFlags(u.Flags&^flagsReturn | b.flags&flagsReturn)
	if int64(u.IP)<<16>>16 != int64(u.IP) {
		u.IP = 0
		return 0, alt, unix.EFAULT // IRET itself would fault
	}
	return b.mask, AltStack{SP: b.altSP, Flags: b.altFlag, Size: b.altSize}, nil
}

// The size of the frame is ABI.
var _ [0]struct{} = [frameSize - 440]struct{}{}
