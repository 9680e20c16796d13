//go:build tamarix

#include "textflag.h"
#include "go_asm.h"
#include "asm_amd64.h"

// The ways into the kernel, and the one way back to a kernel thread.
//
//	syscallEntry   SYSCALL, from ring 3 (user_amd64.s) and from the Go runtime here in ring 0 (kernelSyscall)
//	trapEntry      exceptions and interrupts, from either ring
//	fatalEntry     NMI, double fault, machine check: may come at any moment
//	resume         restores whatever thread is current
//
// What a thread had in its registers goes straight into its kthread, what a
// user had straight into its UserContext. Then the handler runs on the CPU's
// handler stack, with a g that has no stack bound and a thread pointer to
// match, interrupts off.

// kernelSyscall is SYSCALL from ring 0: the runtime calls its host.
TEXT ·kernelSyscall(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SP, percpu_scratch(GS)
	MOVQ	percpu_current(GS), SP
	MOVQ	AX, kthread_AX(SP)
	MOVQ	BX, kthread_BX(SP)
	MOVQ	CX, kthread_IP(SP)
	MOVQ	DX, kthread_DX(SP)
	MOVQ	SI, kthread_SI(SP)
	MOVQ	DI, kthread_DI(SP)
	MOVQ	BP, kthread_BP(SP)
	MOVQ	R8, kthread_R8(SP)
	MOVQ	R9, kthread_R9(SP)
	MOVQ	R10, kthread_R10(SP)
	MOVQ	R11, kthread_Flags(SP)
	MOVQ	R12, kthread_R12(SP)
	MOVQ	R13, kthread_R13(SP)
	MOVQ	R14, kthread_R14(SP)
	MOVQ	R15, kthread_R15(SP)
	MOVL	$0, kthread_full(SP)
	MOVQ	$const_vectorSyscall, kthread_vector(SP)
	MOVQ	percpu_scratch(GS), AX
	MOVQ	AX, kthread_SP(SP)
	MOVQ	SP, AX
	JMP	·handle(SB)

// handle runs the Go handler for the thread in AX and resumes the current one.
TEXT ·handle(SB),NOSPLIT|NOFRAME,$0
	MOVL	$1, percpu_depth(GS)
	MOVQ	percpu_stack(GS), SP
	MOVQ	percpu_fakeFS(GS), CX
	CMPB	·hasFSGSBASE(SB), $0
	JEQ	slow
	WRFSBASE_CX
handler:
	MOVQ	percpu_fakeG(GS), R14
	PXOR	X15, X15
	XORL	BP, BP
	MOVQ	·trapFn(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	JMP	·resume(SB)
slow:
	MOVQ	AX, BX
	MOVQ	CX, AX
	MOVQ	CX, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	MOVQ	BX, AX
	JMP	handler

TEXT ·resume(SB),NOSPLIT|NOFRAME,$0
	MOVQ	percpu_current(GS), BX
	MOVL	$0, percpu_depth(GS)
	MOVQ	kthread_FS(BX), CX
	CMPB	·hasFSGSBASE(SB), $0
	JEQ	slow
	WRFSBASE_CX
restore:
	MOVQ	kthread_AX(BX), AX
	MOVQ	kthread_DX(BX), DX
	MOVQ	kthread_SI(BX), SI
	MOVQ	kthread_DI(BX), DI
	MOVQ	kthread_BP(BX), BP
	MOVQ	kthread_R8(BX), R8
	MOVQ	kthread_R9(BX), R9
	MOVQ	kthread_R10(BX), R10
	MOVQ	kthread_R12(BX), R12
	MOVQ	kthread_R13(BX), R13
	MOVQ	kthread_R14(BX), R14
	MOVQ	kthread_R15(BX), R15
	CMPL	kthread_full(BX), $0
	JNE	full
	// The end of a system call: CX, R11 and the vector registers are dead,
	// but for X15, which Go keeps at zero.
	PXOR	X15, X15
	MOVQ	kthread_IP(BX), CX
	MOVQ	kthread_SP(BX), SP
	MOVQ	kthread_BX(BX), BX
	STI
	JMP	CX
full:
	LOADXMM(kthread_xmm, BX)
	MOVQ	percpu_stack(GS), SP
	SUBQ	$40, SP
	MOVQ	kthread_IP(BX), CX
	MOVQ	CX, 0(SP)
	MOVQ	$const_selKernelCode, 8(SP)
	MOVQ	kthread_Flags(BX), CX
	MOVQ	CX, 16(SP)
	MOVQ	kthread_SP(BX), CX
	MOVQ	CX, 24(SP)
	MOVQ	$const_selKernelData, 32(SP)
	MOVQ	kthread_CX(BX), CX
	MOVQ	kthread_R11(BX), R11
	MOVQ	kthread_BX(BX), BX
	IRETQ
slow:
	MOVQ	CX, AX
	MOVQ	CX, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	JMP	restore

// trapEntry: every gate's stub has pushed the vector, and an error code of 0
// where the CPU pushes none. All gates use an IST stack, which is left at once:
//
//	0 vector, 8 error, 16 IP, 24 CS, 32 flags, 40 SP, 48 SS
TEXT ·trapEntry(SB),NOSPLIT|NOFRAME,$0
	TESTB	$3, 24(SP)
	JZ	ring0
	JMP	·userTrap(SB)
ring0:
	CMPL	percpu_depth(GS), $0
	JNE	nested
	MOVQ	AX, percpu_scratch(GS)
	LEAQ	·clockStore-1(SB), AX
	SUBQ	16(SP), AX
	CMPQ	AX, $-const_clockStoreLen
	JAE	clock
	MOVQ	percpu_current(GS), AX
	MOVQ	BX, kthread_BX(AX)
	MOVQ	CX, kthread_CX(AX)
	MOVQ	DX, kthread_DX(AX)
	MOVQ	SI, kthread_SI(AX)
	MOVQ	DI, kthread_DI(AX)
	MOVQ	BP, kthread_BP(AX)
	MOVQ	R8, kthread_R8(AX)
	MOVQ	R9, kthread_R9(AX)
	MOVQ	R10, kthread_R10(AX)
	MOVQ	R11, kthread_R11(AX)
	MOVQ	R12, kthread_R12(AX)
	MOVQ	R13, kthread_R13(AX)
	MOVQ	R14, kthread_R14(AX)
	MOVQ	R15, kthread_R15(AX)
	SAVEXMM(kthread_xmm, AX)
	MOVQ	percpu_scratch(GS), BX
	MOVQ	BX, kthread_AX(AX)
	MOVQ	0(SP), BX
	MOVQ	BX, kthread_vector(AX)
	MOVQ	8(SP), BX
	MOVQ	BX, kthread_errorCode(AX)
	MOVQ	16(SP), BX
	MOVQ	BX, kthread_IP(AX)
	MOVQ	32(SP), BX
	MOVQ	BX, kthread_Flags(AX)
	MOVQ	40(SP), BX
	MOVQ	BX, kthread_SP(AX)
	MOVL	$1, kthread_full(AX)
	CLD
	CMPB	·hasSMAP(SB), $0
	JEQ	handle
	CLAC
handle:
	JMP	·handle(SB)
clock:
	JMP	·clockFault(SB)
nested:
	// A fault in a handler: its demand for kernel heap, or a bug. Registers
	// stay on this stack; nothing in here may fault again.
	SUBQ	$(15*8+256), SP
	SAVEREGS
	SAVEXMM(120, SP)
	INCL	percpu_depth(GS)
	MOVQ	SP, AX
	MOVQ	percpu_fakeG(GS), R14
	PXOR	X15, X15
	XORL	BP, BP
	CLD
	SUBQ	$64, SP
	MOVQ	·nestedFn(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	ADDQ	$64, SP
	DECL	percpu_depth(GS)
	LOADXMM(120, SP)
	LOADREGS
	ADDQ	$(15*8+256+16), SP
	IRETQ

// fatalEntry is trapEntry for what may come at any instruction, even where GS
// is still the user's, who may have put there what he likes: an address of the
// upper half, too. Each of its vectors has a stack of its own, and at its top lies
// the address of the CPU's area, which GS has to be.
TEXT ·fatalEntry(SB),NOSPLIT|NOFRAME,$0
	SUBQ	$(15*8+256), SP
	SAVEREGS
	SAVEXMM(120, SP)
	CLD
	MOVL	$MSR_GS_BASE, CX
	RDMSR
	SHLQ	$32, DX
	ORQ	DX, AX
	XORL	R12, R12
	CMPQ	AX, (15*8+256+7*8)(SP)
	JEQ	kernelGS
	SWAPGS
	MOVL	$1, R12
kernelGS:
	MOVL	$MSR_FS_BASE, CX
	RDMSR
	MOVL	AX, R13
	SHLQ	$32, DX
	ORQ	DX, R13
	MOVQ	percpu_fakeFS(GS), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	WRMSR
	MOVQ	SP, AX
	MOVQ	R12, -8(SP)
	MOVQ	R13, -16(SP)
	SUBQ	$96, SP
	MOVQ	percpu_fakeG(GS), R14
	PXOR	X15, X15
	XORL	BP, BP
	MOVQ	·fatalFn(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	ADDQ	$96, SP
	MOVQ	-16(SP), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	CMPQ	-8(SP), $0
	JEQ	same
	SWAPGS
same:
	LOADXMM(120, SP)
	LOADREGS
	ADDQ	$(15*8+256+16), SP
	IRETQ

// idle is what an idle thread does. An interrupt that makes work switches to
// another thread at its end.
TEXT ·idle(SB),NOSPLIT|NOFRAME,$0
loop:
	STI
	HLT
	JMP	loop

// func hostCall(nr, a, b, c uintptr) uintptr
// A system call to the runtime's host (trap context on this thread).
TEXT ·hostCall(SB),NOSPLIT,$0-40
	MOVQ	nr+0(FP), AX
	MOVQ	a+8(FP), DI
	MOVQ	b+16(FP), SI
	MOVQ	c+24(FP), DX
	SYSCALL
	MOVQ	AX, ret+32(FP)
	RET
