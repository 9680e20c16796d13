//go:build tamarix

#include "textflag.h"
#include "go_asm.h"

TEXT ·inb(SB),NOSPLIT,$0-9
	MOVW	port+0(FP), DX
	INB
	MOVB	AX, ret+8(FP)
	RET

TEXT ·inw(SB),NOSPLIT,$0-10
	MOVW	port+0(FP), DX
	INW
	MOVW	AX, ret+8(FP)
	RET

TEXT ·inl(SB),NOSPLIT,$0-12
	MOVW	port+0(FP), DX
	INL
	MOVL	AX, ret+8(FP)
	RET

TEXT ·outb(SB),NOSPLIT,$0-3
	MOVW	port+0(FP), DX
	MOVB	v+2(FP), AX
	OUTB
	RET

TEXT ·outw(SB),NOSPLIT,$0-4
	MOVW	port+0(FP), DX
	MOVW	v+2(FP), AX
	OUTW
	RET

TEXT ·outl(SB),NOSPLIT,$0-8
	MOVW	port+0(FP), DX
	MOVL	v+4(FP), AX
	OUTL
	RET

TEXT ·rdtsc(SB),NOSPLIT,$0-8
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, ret+0(FP)
	RET

TEXT ·rdmsr(SB),NOSPLIT,$0-16
	MOVL	msr+0(FP), CX
	RDMSR
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, ret+8(FP)
	RET

TEXT ·wbinvd(SB),NOSPLIT,$0
	WBINVD
	RET

TEXT ·wrmsr(SB),NOSPLIT,$0-16
	MOVL	msr+0(FP), CX
	MOVL	v+8(FP), AX
	MOVL	v_hi+12(FP), DX
	WRMSR
	RET

TEXT ·cpuid(SB),NOSPLIT,$0-24
	MOVL	leaf+0(FP), AX
	MOVL	sub+4(FP), CX
	CPUID
	MOVL	AX, a+8(FP)
	MOVL	BX, b+12(FP)
	MOVL	CX, c+16(FP)
	MOVL	DX, d+20(FP)
	RET

TEXT ·xsetbv(SB),NOSPLIT,$0-8
	XORL	CX, CX
	MOVL	v+0(FP), AX
	MOVL	v_hi+4(FP), DX
	XSETBV
	RET

TEXT ·readCR0(SB),NOSPLIT,$0-8
	MOVQ	CR0, AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·readCR2(SB),NOSPLIT,$0-8
	MOVQ	CR2, AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·readCR3(SB),NOSPLIT,$0-8
	MOVQ	CR3, AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·readCR4(SB),NOSPLIT,$0-8
	MOVQ	CR4, AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·writeCR0(SB),NOSPLIT,$0-8
	MOVQ	v+0(FP), AX
	MOVQ	AX, CR0
	RET
TEXT ·writeCR3(SB),NOSPLIT,$0-8
	MOVQ	v+0(FP), AX
	MOVQ	AX, CR3
	RET
TEXT ·writeCR4(SB),NOSPLIT,$0-8
	MOVQ	v+0(FP), AX
	MOVQ	AX, CR4
	RET
TEXT ·invlpg(SB),NOSPLIT,$0-8
	MOVQ	va+0(FP), AX
	INVLPG	(AX)
	RET

TEXT ·fence(SB),NOSPLIT,$0-0
	MFENCE
	LFENCE
	RET

// func loadGDT(p unsafe.Pointer)
TEXT ·loadGDT(SB),NOSPLIT,$0-8
	MOVQ	p+0(FP), AX
	LGDT	(AX)
	LEAQ	reloaded<>(SB), AX
	PUSHQ	$const_selKernelCode
	PUSHQ	AX
	BYTE $0x48; BYTE $0xcb		// far return, 64-bit operands
	POPQ	AX			// never: the assembler counts pushes
	POPQ	AX

TEXT reloaded<>(SB),NOSPLIT|NOFRAME,$0
	MOVL	$const_selKernelData, AX
	MOVW	AX, SS
	MOVL	$const_selUserData, AX
	MOVW	AX, DS
	MOVW	AX, ES
	RET

TEXT ·loadIDT(SB),NOSPLIT,$0-8
	MOVQ	p+0(FP), AX
	LIDT	(AX)
	RET

TEXT ·loadTR(SB),NOSPLIT,$0-2
	MOVW	selector+0(FP), AX
	BYTE $0x0f; BYTE $0x00; BYTE $0xd8	// LTR AX
	RET

TEXT ·pause(SB),NOSPLIT,$0-0
	PAUSE
	RET
TEXT ·writeBack(SB),NOSPLIT,$0-0
	WBINVD
	RET
TEXT ·halt(SB),NOSPLIT,$0-0
	HLT
	RET
TEXT ·enableIRQ(SB),NOSPLIT,$0-0
	STI
	RET
TEXT ·disableIRQ(SB),NOSPLIT,$0-0
	CLI
	RET

TEXT ·pin(SB),NOSPLIT|NOFRAME,$0-8
	PUSHFQ
	CLI
	POPQ	AX
	MOVQ	AX, ret+0(FP)
	RET

TEXT ·unpin(SB),NOSPLIT|NOFRAME,$0-8
	BTQ	$9, flags+0(FP)
	JCC	off
	STI
off:
	RET

TEXT ·thisCPU(SB),NOSPLIT|NOFRAME,$0-8
	MOVQ	percpu_self(GS), AX
	MOVQ	AX, ret+0(FP)
	RET

// func zeroPage(p unsafe.Pointer)
// Wide moves: QEMU runs rep stosb byte by byte, and rep stosq is slower too.
TEXT ·zeroPage(SB),NOSPLIT,$0-8
	MOVQ	p+0(FP), DI
	LEAQ	4096(DI), CX
	PXOR	X0, X0
loop:
	MOVUPS	X0, 0(DI)
	MOVUPS	X0, 16(DI)
	MOVUPS	X0, 32(DI)
	MOVUPS	X0, 48(DI)
	MOVUPS	X0, 64(DI)
	MOVUPS	X0, 80(DI)
	MOVUPS	X0, 96(DI)
	MOVUPS	X0, 112(DI)
	ADDQ	$128, DI
	CMPQ	DI, CX
	JNE	loop
	RET

// func copyPage(dst, src unsafe.Pointer)
// Loads of 8 bytes: in QEMU a load of 16 costs five times as much as two of 8,
// while stores of 16 are cheap.
#define LOAD16(n, x) \
	MOVLPS	n(SI), x; \
	MOVHPS	n+8(SI), x

TEXT ·copyPage(SB),NOSPLIT,$0-16
	MOVQ	dst+0(FP), DI
	MOVQ	src+8(FP), SI
	LEAQ	4096(DI), CX
loop:
	LOAD16(0, X0)
	LOAD16(16, X1)
	LOAD16(32, X2)
	LOAD16(48, X3)
	LOAD16(64, X4)
	LOAD16(80, X5)
	LOAD16(96, X6)
	LOAD16(112, X7)
	MOVUPS	X0, 0(DI)
	MOVUPS	X1, 16(DI)
	MOVUPS	X2, 32(DI)
	MOVUPS	X3, 48(DI)
	MOVUPS	X4, 64(DI)
	MOVUPS	X5, 80(DI)
	MOVUPS	X6, 96(DI)
	MOVUPS	X7, 112(DI)
	ADDQ	$128, SI
	ADDQ	$128, DI
	CMPQ	DI, CX
	JNE	loop
	RET

TEXT ·pcSyscallEntry(SB),NOSPLIT,$0-8
	LEAQ	·syscallEntry(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·pcTrapEntry(SB),NOSPLIT,$0-8
	LEAQ	·trapEntry(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·pcFatalEntry(SB),NOSPLIT,$0-8
	LEAQ	·fatalEntry(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·pcUserReturn(SB),NOSPLIT,$0-8
	LEAQ	·userReturn(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·pcIdle(SB),NOSPLIT,$0-8
	LEAQ	·idle(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·pcAPEntry(SB),NOSPLIT,$0-8
	LEAQ	·apEntry(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
TEXT ·userCopyRange(SB),NOSPLIT,$0-24
	LEAQ	·userCopyFirst(SB), AX
	MOVQ	AX, lo+0(FP)
	LEAQ	·userCopyLast(SB), AX
	MOVQ	AX, hi+8(FP)
	LEAQ	·userCopyFixup(SB), AX
	MOVQ	AX, fixup+16(FP)
	RET

// func fxsaveMask(p *[fxSize + 64]byte) uint32
TEXT ·fxsaveMask(SB),NOSPLIT,$0-12
	MOVQ	p+0(FP), BX
	ADDQ	$63, BX
	ANDQ	$~63, BX
	FXSAVE64	(BX)
	MOVL	const_fxMXCSRMask(BX), AX
	MOVL	AX, ret+8(FP)
	RET

// func rdrand() uint64
TEXT ·rdrand(SB),NOSPLIT,$0-8
	MOVL	$16, CX
again:
	BYTE $0x48; BYTE $0x0f; BYTE $0xc7; BYTE $0xf0	// RDRAND AX
	JCS	done
	SUBL	$1, CX
	JNZ	again
	RDTSC
done:
	MOVQ	AX, ret+0(FP)
	RET
