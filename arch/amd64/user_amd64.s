//go:build tamarix

#include "textflag.h"
#include "go_asm.h"
#include "asm_amd64.h"

// The hot path: into ring 3, and back on the same goroutine.
//
// percpu.user names the context whose root is in CR3, whose extended state and
// GS base are in this CPU's registers. Whatever breaks one of these clears
// percpu.user, so one comparison tells that nothing need be loaded. While a
// context runs in ring 3 it is percpu.user: the entries store registers there.

// SAVEOWNER stores the GS base and the extended state, all but the XMM part,
// into the context in BX. It spoils AX, CX, DX, R8 and R9. Without XSAVE, the
// XMM part of FXSAVE's image must not overwrite the user's: it goes through a
// buffer, of which only the x87 part is taken.
#define SAVEOWNER \
	MOVL	$MSR_KERNEL_GS_BASE, CX; \
	RDMSR; \
	SHLQ	$32, DX; \
	ORQ	DX, AX; \
	MOVQ	AX, UserContext_GS(BX); \
	MOVL	·xsaveMask(SB), AX; \
	XORL	DX, DX; \
	TESTL	AX, AX; \
	JEQ	noXSAVE; \
	XSAVE64_BX; LONG $UserContext_xsave; \
	JMP	ownerSaved; \
noXSAVE: \
	MOVQ	percpu_xsaveTemp(GS), R8; \
	FXSAVE64	(R8); \
	MOVL	$(const_fxXMM/8-1), CX; \
copyX87: \
	MOVQ	(R8)(CX*8), R9; \
	MOVQ	R9, UserContext_xsave(BX)(CX*8); \
	SUBL	$1, CX; \
	JPL	copyX87; \
ownerSaved: \
	NOP

// SWAPFS stores the user's FS base in the context in SP and loads the kernel
// thread's, without FSGSBASE. It spoils AX, CX and DX.
#define SWAPFS \
	MOVL	$MSR_FS_BASE, CX; \
	RDMSR; \
	SHLQ	$32, DX; \
	ORQ	DX, AX; \
	MOVQ	AX, UserContext_FS(SP); \
	MOVQ	percpu_current(GS), AX; \
	MOVQ	kthread_FS(AX), AX; \
	MOVQ	AX, DX; \
	SHRQ	$32, DX; \
	WRMSR

// enterUser runs the context in AX in ring 3 and returns the reason in AX, as Go
// functions do among themselves: called by way of a variable, it saves a wrapper
// on the way of every system call. It returns from many places, by RETURN.
DATA ·enterUserClosure(SB)/8, $·enterUserCode(SB)
GLOBL ·enterUserClosure(SB), RODATA|NOPTR, $8
DATA ·enterUser(SB)/8, $·enterUserClosure(SB)
GLOBL ·enterUser(SB), RODATA, $8

#define RETURN \
	PXOR	X15, X15; \
	MOVQ	(TLS), R14; \
	RET

TEXT ·enterUserCode(SB),NOSPLIT|NOFRAME,$0
	CLI
	MOVQ	SP, UserContext_kernelSP(AX)
	MOVQ	BP, UserContext_kernelBP(AX)
again:
	CMPL	UserContext_pending(AX), $0
	JNE	kicked
	CMPQ	AX, percpu_user(GS)
	JNE	load
	LOADXMM(XMM, AX)
	LDMXCSR	UserContext_mxcsr(AX)
	MOVQ	UserContext_FS(AX), CX
	CMPB	·hasFSGSBASE(SB), $0
	JEQ	slowFS
	WRFSBASE_CX
fsDone:
	MOVQ	UserContext_BX(AX), BX
	MOVQ	UserContext_DX(AX), DX
	MOVQ	UserContext_SI(AX), SI
	MOVQ	UserContext_DI(AX), DI
	MOVQ	UserContext_BP(AX), BP
	MOVQ	UserContext_R8(AX), R8
	MOVQ	UserContext_R9(AX), R9
	MOVQ	UserContext_R10(AX), R10
	MOVQ	UserContext_R12(AX), R12
	MOVQ	UserContext_R13(AX), R13
	MOVQ	UserContext_R14(AX), R14
	MOVQ	UserContext_R15(AX), R15
	MOVQ	UserContext_IP(AX), CX
	CMPL	UserContext_full(AX), $0
	JNE	full
	MOVQ	UserContext_Flags(AX), R11
	MOVQ	UserContext_SP(AX), SP
	MOVQ	UserContext_AX(AX), AX
	SWAPGS
	SYSRETQ

full:
	// IRET faults in ring 0 on an address that is not canonical.
	SHRQ	$47, CX
	JNZ	badIP
	MOVQ	percpu_stack(GS), SP
	SUBQ	$40, SP
	MOVQ	UserContext_IP(AX), CX
	MOVQ	CX, 0(SP)
	MOVQ	$const_selUserCode, 8(SP)
	MOVQ	UserContext_Flags(AX), CX
	MOVQ	CX, 16(SP)
	MOVQ	UserContext_SP(AX), CX
	MOVQ	CX, 24(SP)
	MOVQ	$const_selUserData, 32(SP)
	MOVQ	UserContext_CX(AX), CX
	MOVQ	UserContext_R11(AX), R11
	MOVQ	UserContext_AX(AX), AX
	SWAPGS
	IRETQ

slowFS:
	MOVQ	AX, BX
	MOVQ	CX, AX
	MOVQ	CX, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	MOVQ	BX, AX
	JMP	fsDone

kicked:
	LDMXCSR	·kernelMXCSR(SB)
	STI
	MOVL	$const_ReasonKick, AX
	RETURN

remote:
	// Another CPU holds the state: Go code fetches it and calls again.
	STI
	MOVL	$const_reasonRemote, AX
	RETURN

badIP:
	// As if the jump there had faulted.
	MOVQ	percpu_current(GS), BX
	MOVQ	kthread_FS(BX), CX
	MOVQ	AX, DI
	MOVQ	CX, AX
	MOVQ	CX, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	LDMXCSR	·kernelMXCSR(SB)
	MOVQ	UserContext_kernelBP(DI), BP
	MOVQ	$13, UserContext_vector(DI)
	MOVQ	$0, UserContext_errorCode(DI)
	STI
	MOVL	$13, AX
	RETURN

load:
	MOVQ	AX, DI
	MOVQ	UserContext_owner(DI), CX
	CMPQ	CX, percpu_self(GS)
	JEQ	haveState
	TESTQ	CX, CX
	JNZ	remote
	MOVQ	percpu_owner(GS), BX
	TESTQ	BX, BX
	JEQ	restore
	SAVEOWNER
	MOVQ	UserContext_GS(BX), R8
	MOVQ	$0, UserContext_owner(BX)	// last: another CPU may load it now
	CMPQ	R8, UserContext_GS(DI)
	JEQ	gsDone
restore:
	MOVQ	UserContext_GS(DI), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$MSR_KERNEL_GS_BASE, CX
	WRMSR
gsDone:
	MOVQ	DI, BX
	MOVL	·xsaveMask(SB), AX
	XORL	DX, DX
	TESTL	AX, AX
	JEQ	fxrstor
	XRSTOR64_BX; LONG $UserContext_xsave
restored:
	MOVQ	DI, percpu_owner(GS)
	MOVQ	percpu_self(GS), CX
	MOVQ	CX, UserContext_owner(DI)
haveState:
	MOVQ	UserContext_root(DI), CX
	CMPQ	CX, percpu_root(GS)
	JEQ	rootDone
	MOVQ	CX, percpu_root(GS)
	MOVQ	CX, CR3
rootDone:
	// Locked, so that either we see pending or Kick sees us.
	MOVQ	DI, CX
	XCHGQ	CX, percpu_user(GS)
	MOVQ	DI, AX
	JMP	again
fxrstor:
	FXRSTOR64	UserContext_xsave(BX)
	JMP	restored

// func dropOwner()
// Moves the extended state and GS base of this CPU's owner into its context.
// Interrupts are off.
TEXT ·dropOwner(SB),NOSPLIT,$0-0
	MOVQ	percpu_owner(GS), BX
	TESTQ	BX, BX
	JEQ	none
	SAVEOWNER
	MOVQ	$0, percpu_user(GS)
	MOVQ	$0, percpu_owner(GS)
	MOVQ	$0, UserContext_owner(BX)
none:
	RET

// syscallEntry is where SYSCALL goes, with the return address in CX and the
// flags in R11. An address in the upper half, negative, means the runtime here
// in ring 0.
TEXT ·syscallEntry(SB),NOSPLIT|NOFRAME,$0
	TESTQ	CX, CX
	JS	kernel
	SWAPGS
	CMPQ	AX, $const_sysClockGettime
	JEQ	clock
	JMP	·userSyscall(SB)
clock:
	JMP	·clockCall(SB)
kernel:
	JMP	·kernelSyscall(SB)

// userSyscall is every other system call from ring 3: GS is the kernel's, all
// else is as SYSCALL has left it.
TEXT ·userSyscall(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SP, percpu_scratch(GS)
	MOVQ	percpu_user(GS), SP
	MOVQ	CX, UserContext_IP(SP)
	MOVQ	R11, UserContext_Flags(SP)
	MOVQ	AX, UserContext_AX(SP)
	MOVQ	BX, UserContext_BX(SP)
	MOVQ	DX, UserContext_DX(SP)
	MOVQ	SI, UserContext_SI(SP)
	MOVQ	DI, UserContext_DI(SP)
	MOVQ	BP, UserContext_BP(SP)
	MOVQ	R8, UserContext_R8(SP)
	MOVQ	R9, UserContext_R9(SP)
	MOVQ	R10, UserContext_R10(SP)
	MOVQ	R12, UserContext_R12(SP)
	MOVQ	R13, UserContext_R13(SP)
	MOVQ	R14, UserContext_R14(SP)
	MOVQ	R15, UserContext_R15(SP)
	MOVQ	percpu_scratch(GS), AX
	MOVQ	AX, UserContext_SP(SP)
	MOVL	$0, UserContext_full(SP)
	SAVEXMM(XMM, SP)
	STMXCSR	UserContext_mxcsr(SP)
	CMPL	UserContext_mxcsr(SP), $const_defaultMXCSR
	JNE	mxcsr
mxcsrDone:
	CMPB	·hasFSGSBASE(SB), $0
	JEQ	slowFS
	RDFSBASE_AX
	MOVQ	AX, UserContext_FS(SP)
	MOVQ	percpu_current(GS), AX
	MOVQ	kthread_FS(AX), AX
	WRFSBASE_AX
fsDone:
	MOVQ	UserContext_kernelBP(SP), BP
	MOVQ	UserContext_kernelSP(SP), SP
	STI
	MOVL	$const_ReasonSyscall, AX
	RETURN
mxcsr:
	LDMXCSR	·kernelMXCSR(SB)
	JMP	mxcsrDone
slowFS:
	SWAPFS
	JMP	fsDone

// userTrap is an exception or interrupt from ring 3, on the IST stack:
//
//	0 vector, 8 error, 16 IP, 24 CS, 32 flags, 40 SP, 48 SS
//
// Exceptions go straight back to the goroutine. Interrupts are handled first;
// then the thread goes on as if EnterUser had returned.
TEXT ·userTrap(SB),NOSPLIT|NOFRAME,$0
	SWAPGS
	MOVQ	AX, percpu_scratch(GS)
	MOVQ	percpu_user(GS), AX
	MOVQ	BX, UserContext_BX(AX)
	MOVQ	CX, UserContext_CX(AX)
	MOVQ	DX, UserContext_DX(AX)
	MOVQ	SI, UserContext_SI(AX)
	MOVQ	DI, UserContext_DI(AX)
	MOVQ	BP, UserContext_BP(AX)
	MOVQ	R8, UserContext_R8(AX)
	MOVQ	R9, UserContext_R9(AX)
	MOVQ	R10, UserContext_R10(AX)
	MOVQ	R11, UserContext_R11(AX)
	MOVQ	R12, UserContext_R12(AX)
	MOVQ	R13, UserContext_R13(AX)
	MOVQ	R14, UserContext_R14(AX)
	MOVQ	R15, UserContext_R15(AX)
	MOVQ	percpu_scratch(GS), BX
	MOVQ	BX, UserContext_AX(AX)
	MOVQ	0(SP), SI
	MOVQ	8(SP), BX
	MOVQ	BX, UserContext_errorCode(AX)
	MOVQ	16(SP), BX
	MOVQ	BX, UserContext_IP(AX)
	MOVQ	32(SP), BX
	MOVQ	BX, UserContext_Flags(AX)
	MOVQ	40(SP), BX
	MOVQ	BX, UserContext_SP(AX)
	MOVL	$1, UserContext_full(AX)
	CLD
	CMPB	·hasSMAP(SB), $0
	JEQ	noSMAP
	CLAC
noSMAP:
	SAVEXMM(XMM, AX)
	STMXCSR	UserContext_mxcsr(AX)
	CMPL	UserContext_mxcsr(AX), $const_defaultMXCSR
	JEQ	mxcsrDone
	LDMXCSR	·kernelMXCSR(SB)
mxcsrDone:
	MOVQ	AX, SP
	CMPB	·hasFSGSBASE(SB), $0
	JEQ	slowFS
	RDFSBASE_AX
	MOVQ	AX, UserContext_FS(SP)
	MOVQ	percpu_current(GS), AX
	MOVQ	kthread_FS(AX), AX
	WRFSBASE_AX
fsDone:
	CMPQ	SI, $32
	JAE	interrupt
	MOVQ	SI, UserContext_vector(SP)
	CMPQ	SI, $14
	JNE	back
	MOVQ	CR2, AX
	MOVQ	AX, UserContext_faultAddr(SP)
back:
	MOVQ	UserContext_kernelBP(SP), BP
	MOVQ	UserContext_kernelSP(SP), SP
	STI
	MOVQ	SI, AX
	RETURN
interrupt:
	MOVQ	percpu_current(GS), AX
	MOVQ	UserContext_kernelBP(SP), BX
	MOVQ	BX, kthread_BP(AX)
	MOVQ	UserContext_kernelSP(SP), BX
	MOVQ	BX, kthread_SP(AX)
	LEAQ	·userReturn(SB), BX
	MOVQ	BX, kthread_IP(AX)
	MOVQ	$const_ReasonInterrupt, kthread_AX(AX)
	MOVQ	$(const_flagIF|const_flagFixed), kthread_Flags(AX)
	MOVL	$0, kthread_full(AX)
	MOVL	$1, kthread_fromUser(AX)
	MOVQ	SI, kthread_vector(AX)
	JMP	·handle(SB)
slowFS:
	SWAPFS
	JMP	fsDone

// userReturn is where a thread goes on whose ring 3 was interrupted: the end
// of enterUser.
TEXT ·userReturn(SB),NOSPLIT|NOFRAME,$0
	RETURN
