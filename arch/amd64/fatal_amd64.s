//go:build tamarix

#include "textflag.h"
#include "go_asm.h"
#include "asm_amd64.h"

// func onPanicStack(msg string, v uint64)
//
// It does not return. RBP stays: the chain of frames still leads to the caller.
TEXT ·onPanicStack(SB),NOSPLIT|NOFRAME,$0-24
	MOVQ	percpu_fakeFS(GS), AX
	TESTQ	AX, AX
	JZ	same			// too early: the start's own g serves
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	$MSR_FS_BASE, CX
	WRMSR
	MOVQ	percpu_fakeG(GS), R14
same:
	MOVQ	8(SP), AX
	MOVQ	16(SP), BX
	MOVQ	24(SP), CX
	LEAQ	·panicStack+const_panicStackSize(SB), SP
	ANDQ	$~15, SP
	CLD
	PXOR	X15, X15
	MOVQ	·reportFatalFn(SB), DX
	MOVQ	(DX), DI
	CALL	DI
	INT	$3

// func framePointer() uint64
TEXT ·framePointer(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	BP, 8(SP)
	RET

// func imageRanges() (text, etext, table, etable, bss, ebss uint64)
TEXT ·imageRanges(SB),NOSPLIT,$0-48
	LEAQ	runtime·text(SB), AX
	MOVQ	AX, text+0(FP)
	LEAQ	runtime·etext(SB), AX
	MOVQ	AX, etext+8(FP)
	LEAQ	runtime·pclntab(SB), AX
	MOVQ	AX, table+16(FP)
	LEAQ	runtime·epclntab(SB), AX
	MOVQ	AX, etable+24(FP)
	LEAQ	runtime·noptrbss(SB), AX
	MOVQ	AX, bss+32(FP)
	LEAQ	runtime·enoptrbss(SB), AX
	MOVQ	AX, ebss+40(FP)
	RET
