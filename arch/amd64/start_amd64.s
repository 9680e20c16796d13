//go:build tamarix

#include "textflag.h"
#include "go_asm.h"
#include "asm_amd64.h"

// earlyStart is where package boot hands over: DI = *info.Boot, on its stack,
// interrupts off, the final page tables loaded.
TEXT ·earlyStart(SB),NOSPLIT|NOFRAME,$0
	CLI
	CLD
	MOVQ	DI, AX
	SUBQ	$64, SP
	MOVQ	·earlyFn(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	// The first thread's beginning. Its stack is what a process is given.
	MOVQ	AX, SP
	XORL	BP, BP
	XORL	DX, DX
	MOVL	$0, percpu_depth(GS)
	STI
	JMP	_rt0_amd64_linux(SB)

// apEntry is where the trampoline jumps on another CPU: DI = its percpu, on the
// tables that also map the trampoline.
TEXT ·apEntry(SB),NOSPLIT|NOFRAME,$0
	CLI
	CLD
	XORL	AX, AX		// cpuOff
	MOVL	$const_cpuClaimed, CX
	LOCK
	CMPXCHGL	CX, percpu_online(DI)
	JNE	late
	MOVQ	percpu_root(DI), AX
	MOVQ	AX, CR3
	MOVQ	percpu_stack(DI), SP
	MOVQ	DI, AX
	MOVQ	DI, DX
	SHRQ	$32, DX
	MOVL	$MSR_GS_BASE, CX
	WRMSR
	MOVQ	percpu_fakeFS(DI), AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	MOVQ	percpu_fakeG(DI), R14
	PXOR	X15, X15
	XORL	BP, BP
	MOVL	$1, percpu_depth(GS)
	MOVQ	DI, AX
	MOVQ	·apFn(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	JMP	·resume(SB)
late:	// it was given up
	HLT
	JMP	late
