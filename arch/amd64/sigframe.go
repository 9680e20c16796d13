package amd64

import (
	"encoding/binary"

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

// Places in the frame.
const (
	frameUC      = 8                                // struct ucontext
	frameStack   = frameUC + 16                     // uc_stack
	frameRegs    = frameUC + 40                     // uc_mcontext
	frameMask    = frameRegs + 256                  // uc_sigmask
	frameInfo    = frameMask + 8                    // siginfo
	frameSize    = frameInfo + 128                  // struct rt_sigframe
	frameFlags   = frameRegs + 17*8                 // eflags
	frameCS      = frameRegs + 18*8                 // cs, gs, fs, ss: 16 bits each
	frameSS      = frameCS + 6                      //
	frameFPState = frameRegs + 23*8                 // fpstate
	redZone      = 128                              // System V ABI, AMD64 supplement, 3.2.2
	fxSoftware   = 464                              // struct _fpx_sw_bytes
	frameSlack   = 63 + 15                          // for the two alignments
	magic2Size   = 4                                // after the image
	fpMagic1     = 0x46505853                       // FP_XSTATE_MAGIC1
	fpMagic2     = 0x46505845                       // FP_XSTATE_MAGIC2
	ucXState     = 1                                // UC_FP_XSTATE
	ucSS         = 2                                // UC_SIGCONTEXT_SS
	ucStrictSS   = 4                                // UC_STRICT_RESTORE_SS
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

// SignalFrame says which handler is to run, and what it is told.
type SignalFrame struct {
	Signal   int32
	Handler  uint64
	Restorer uint64
	Mask     uint64   // blocked signals to restore
	AltStack AltStack // the thread's; Size 0: none
	OnStack  bool     // SA_ONSTACK
	HasInfo  bool     // SA_SIGINFO: Info is copied
	Info     [128]byte
}

// UserMemory copies to and from the memory of the thread (mm.AddressSpace).
type UserMemory interface {
	CopyOut(addr uint64, p []byte) error
	CopyIn(p []byte, addr uint64) error
}

// SignalStackMin returns the size of the largest frame, AT_MINSIGSTKSZ of
// getauxval(3).
func SignalStackMin() uint64 {
	return (frameSize + uint64(XSaveSize()) + magic2Size + frameSlack + 15) &^ 15
}

// hasXSAVE reports whether images have the XSAVE header, and frames say so.
func hasXSAVE() bool { return XSaveSize() > fxSize }

// PushSignal writes the frame for f below the thread's stack pointer and
// turns the registers to the handler, with fresh extended state. On an error
// (EFAULT: no stack there, or the alternate stack is too small) nothing has
// changed but user memory.
func (u *UserContext) PushSignal(mem UserMemory, f *SignalFrame) error {
	sp := u.SP - redZone
	nested := f.AltStack.Contains(u.SP)
	entering := f.OnStack && !nested && f.AltStack.Size != 0
	if entering {
		sp = f.AltStack.SP + f.AltStack.Size
	}
	u.makeFull()
	image := u.saveExtended()
	fp := sp - uint64(len(image))
	if hasXSAVE() {
		fp -= magic2Size
	}
	fp &^= 63
	sp = (fp-frameSize)&^15 - 8
	if (nested || entering) && !f.AltStack.holds(sp) {
		return unix.EFAULT
	}
	if sp >= UserTop || fp >= UserTop {
		return unix.EFAULT
	}

	u.prepareImage(image)
	if err := mem.CopyOut(fp, image); err != nil {
		return err
	}
	if hasXSAVE() {
		var m [magic2Size]byte
		binary.LittleEndian.PutUint32(m[:], fpMagic2)
		if err := mem.CopyOut(fp+uint64(len(image)), m[:]); err != nil {
			return err
		}
	}
	var b [frameSize]byte
	u.fillFrame(&b, f, fp)
	n := frameInfo
	if f.HasInfo {
		copy(b[frameInfo:], f.Info[:])
		n = frameSize
	}
	if err := mem.CopyOut(sp, b[:n]); err != nil {
		return err
	}

	u.DI, u.SI, u.DX = uint64(uint32(f.Signal)), sp+frameInfo, sp+frameUC
	u.AX = 0
	u.SP = sp
	u.IP = f.Handler
	u.Flags &= flagsHandler
	u.initExtended()
	return nil
}

// fillFrame writes everything but the siginfo into b.
func (u *UserContext) fillFrame(b *[frameSize]byte, f *SignalFrame, fp uint64) {
	u.makeFull()
	le := binary.LittleEndian
	le.PutUint64(b[0:], f.Restorer)
	flags := uint64(ucSS | ucStrictSS)
	if hasXSAVE() {
		flags |= ucXState
	}
	le.PutUint64(b[frameUC:], flags)
	le.PutUint64(b[frameStack:], f.AltStack.SP)
	le.PutUint32(b[frameStack+8:], f.AltStack.Flags)
	le.PutUint64(b[frameStack+16:], f.AltStack.Size)
	for i, p := range u.frameOrder() {
		le.PutUint64(b[frameRegs+8*i:], *p)
	}
	le.PutUint64(b[frameFlags:], u.Flags)
	le.PutUint16(b[frameCS:], linuxUserCS)
	le.PutUint16(b[frameSS:], linuxUserDS)
	le.PutUint64(b[frameCS+8:], u.errorCode)
	le.PutUint64(b[frameCS+16:], u.vector)
	le.PutUint64(b[frameCS+24:], f.Mask) // oldmask
	le.PutUint64(b[frameCS+32:], u.faultAddr)
	le.PutUint64(b[frameFPState:], fp)
	le.PutUint64(b[frameMask:], f.Mask)
}

// frameOrder is the order of the registers in struct sigcontext.
func (u *UserContext) frameOrder() [17]*uint64 {
	return [17]*uint64{
		&u.R8, &u.R9, &u.R10, &u.R11, &u.R12, &u.R13, &u.R14, &u.R15,
		&u.DI, &u.SI, &u.BP, &u.BX, &u.DX, &u.AX, &u.CX, &u.SP, &u.IP,
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

// PopSignal takes the registers back from the frame that the handler's return
// has left just below the stack pointer: rt_sigreturn(2). Nothing in the frame
// is trusted. It returns the mask and the alternate stack that the frame asks
// for; EFAULT when the frame cannot be read or cannot be right, and then the
// registers may be anything but harmful.
func (u *UserContext) PopSignal(mem UserMemory) (mask uint64, alt AltStack, err error) {
	var b [frameInfo]byte
	if err := mem.CopyIn(b[:], u.SP-frameUC); err != nil {
		return 0, alt, err
	}
	le := binary.LittleEndian
	cs, ss := le.Uint16(b[frameCS:])|3, le.Uint16(b[frameSS:])|3
	if cs != linuxUserCS {
		return 0, alt, unix.EFAULT // 32-bit code, or no code segment at all
	}
	if ss != linuxUserDS && le.Uint64(b[frameUC:])&ucStrictSS != 0 {
		return 0, alt, unix.EFAULT
	}
	if err := u.restoreImage(mem, le.Uint64(b[frameFPState:])); err != nil {
		return 0, alt, err
	}
	u.full = 1 // all of them matter, whatever the system call spoiled
	for i, p := range u.frameOrder() {
		*p = le.Uint64(b[frameRegs+8*i:])
	}
	if int64(u.IP)<<16>>16 != int64(u.IP) {
		u.IP = 0
		return 0, alt, unix.EFAULT // IRET itself would fault
	}
	u.SetFlags(u.Flags&^flagsReturn | le.Uint64(b[frameFlags:])&flagsReturn)
	alt = AltStack{
		SP:    le.Uint64(b[frameStack:]),
		Flags: le.Uint32(b[frameStack+8:]),
		Size:  le.Uint64(b[frameStack+16:]),
	}
	return le.Uint64(b[frameMask:]), alt, nil
}

// restoreImage reads the extended state from fp; 0 asks for the initial state.
// When the software bytes do not describe an XSAVE image, only the legacy part
// counts. A bad image leaves the initial state.
func (u *UserContext) restoreImage(mem UserMemory, fp uint64) error {
	if fp == 0 {
		u.initExtended()
		return nil
	}
	u.saveExtended() // nobody else writes into the image from here on
	u.extendedChanged()
	err := u.readImage(mem, fp)
	if err != nil {
		u.initExtended()
		return err
	}
	u.extendedChanged()
	return nil
}

func (u *UserContext) readImage(mem UserMemory, fp uint64) error {
	le := binary.LittleEndian
	image := u.xsave[:XSaveSize()]
	if hasXSAVE() && fp&63 != 0 {
		return unix.EFAULT
	}
	if err := mem.CopyIn(image[:fxSize], fp); err != nil {
		return err
	}
	if le.Uint32(image[fxMXCSR:])&^mxcsrMask != 0 {
		return unix.EFAULT
	}
	if !hasXSAVE() {
		return nil
	}
	header := image[xsaveHeader:xsaveMinimum]
	sw := image[fxSoftware:fxSize]
	size, whole := le.Uint32(sw[16:]), le.Uint32(sw[4:])
	if le.Uint32(sw) != fpMagic1 || size < xsaveMinimum || size > uint32(len(image)) || size > whole {
		clear(header)
		le.PutUint64(header, xfeatureX87|xfeatureSSE)
		return nil
	}
	wanted := le.Uint64(sw[8:]) & XFeatures()
	var m [magic2Size]byte
	if err := mem.CopyIn(m[:], fp+uint64(size)); err != nil {
		return err
	}
	if le.Uint32(m[:]) != fpMagic2 {
		clear(header)
		le.PutUint64(header, xfeatureX87|xfeatureSSE)
		return nil
	}
	clear(image[xsaveHeader:])
	if err := mem.CopyIn(image[xsaveHeader:size], fp+xsaveHeader); err != nil {
		return err
	}
	bv := le.Uint64(header)
	for _, b := range header[8:] { // XCOMP_BV and the reserved bytes: XRSTOR would fault
		if b != 0 {
			return unix.EFAULT
		}
	}
	if bv&^XFeatures() != 0 {
		return unix.EFAULT
	}
	le.PutUint64(header, bv&wanted)
	if bv&wanted&xfeatureX87 == 0 {
		u.initX87()
	}
	return nil
}

// The size of the frame is ABI.
var _ [0]struct{} = [frameSize - 440]struct{}{}
