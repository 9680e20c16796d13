//go:build tamarix

#include "textflag.h"

// Programs for ring 3. Their bytes are copied into user pages, so they refer to
// nothing but registers and their stack. A program ends with call 60, its
// result in DI; call 500 is for the test's own purposes.

// userNull makes DI calls of number 39 and ends.
TEXT ·userNull(SB),NOSPLIT|NOFRAME,$0
	MOVQ	DI, BX
loop:
	MOVQ	$39, AX
	SYSCALL
	SUBQ	$1, BX
	JNZ	loop
	MOVQ	$60, AX
	XORL	DI, DI
	SYSCALL
	INT	$3

// userTouch writes to DI pages from SI on and ends.
TEXT ·userTouch(SB),NOSPLIT|NOFRAME,$0
loop:
	MOVQ	SI, (SI)
	ADDQ	$4096, SI
	SUBQ	$1, DI
	JNZ	loop
	MOVQ	$60, AX
	SYSCALL
	INT	$3

// userSpin never ends.
TEXT ·userSpin(SB),NOSPLIT|NOFRAME,$0
loop:
	ADDQ	$1, BX
	JMP	loop

// userTrap executes an undefined instruction, divides by zero, and ends.
TEXT ·userTrap(SB),NOSPLIT|NOFRAME,$0
	BYTE $0x0f; BYTE $0x0b		// UD2, 2 bytes
	XORL	CX, CX
	BYTE $0x48; BYTE $0xf7; BYTE $0xf1	// DIV CX, 3 bytes
	INT	$3
	CLI				// privileged, 1 byte
	MOVQ	$60, AX
	XORL	DI, DI
	SYSCALL

#define CHECK(REG, OFF, CODE) \
	CMPQ	REG, (64+OFF*8)(SP); \
	JEQ	3(PC); \
	MOVQ	$CODE, DI; \
	JMP	bad

// userVerify fills all registers with a pattern, lets time, calls and faults
// go by, and compares. DI = rounds, SI = seed, DX = whether to use AVX, CX =
// pages to touch, BX = whether FS and GS point to a word that is its own address.
//
//	0(SP) rounds, 8 seed, 16 AVX, 24 next page, 32 counter, 40 segments,
//	64 pattern (512 bytes), 1024 what came out
TEXT ·userVerify(SB),NOSPLIT|NOFRAME,$0
	SUBQ	$2048, SP
	ANDQ	$~63, SP
	MOVQ	DI, 0(SP)
	MOVQ	SI, 8(SP)
	MOVQ	DX, 16(SP)
	MOVQ	CX, 24(SP)
	MOVQ	BX, 40(SP)
round:
	// The pattern: small enough that FILD and FISTP keep it exactly.
	MOVQ	8(SP), AX
	ADDQ	0(SP), AX
	XORL	CX, CX
fill:
	MOVQ	$6364136223846793005, DX
	IMULQ	DX, AX
	ADDQ	$0x5deece66, AX
	MOVQ	AX, 64(SP)(CX*8)
	ADDQ	$1, CX
	CMPQ	CX, $64
	JNE	fill
	// Extended state.
	FMOVV	64(SP), F0
	FMOVV	72(SP), F0
	FMOVV	80(SP), F0
	CMPQ	16(SP), $0
	JEQ	sse
	VMOVDQU	(64+0*32)(SP), Y0
	VMOVDQU	(64+1*32)(SP), Y1
	VMOVDQU	(64+2*32)(SP), Y2
	VMOVDQU	(64+3*32)(SP), Y3
	VMOVDQU	(64+4*32)(SP), Y4
	VMOVDQU	(64+5*32)(SP), Y5
	VMOVDQU	(64+6*32)(SP), Y6
	VMOVDQU	(64+7*32)(SP), Y7
	VMOVDQU	(64+8*32)(SP), Y8
	VMOVDQU	(64+9*32)(SP), Y9
	VMOVDQU	(64+10*32)(SP), Y10
	VMOVDQU	(64+11*32)(SP), Y11
	VMOVDQU	(64+12*32)(SP), Y12
	VMOVDQU	(64+13*32)(SP), Y13
	VMOVDQU	(64+14*32)(SP), Y14
	VMOVDQU	(64+15*32)(SP), Y15
	JMP	loaded
sse:
	MOVUPS	(64+0*16)(SP), X0
	MOVUPS	(64+1*16)(SP), X1
	MOVUPS	(64+2*16)(SP), X2
	MOVUPS	(64+3*16)(SP), X3
	MOVUPS	(64+4*16)(SP), X4
	MOVUPS	(64+5*16)(SP), X5
	MOVUPS	(64+6*16)(SP), X6
	MOVUPS	(64+7*16)(SP), X7
	MOVUPS	(64+8*16)(SP), X8
	MOVUPS	(64+9*16)(SP), X9
	MOVUPS	(64+10*16)(SP), X10
	MOVUPS	(64+11*16)(SP), X11
	MOVUPS	(64+12*16)(SP), X12
	MOVUPS	(64+13*16)(SP), X13
	MOVUPS	(64+14*16)(SP), X14
	MOVUPS	(64+15*16)(SP), X15
loaded:
	// Rounding up, so that MXCSR is something too: round & 3 picks the mode.
	MOVQ	0(SP), AX
	ANDQ	$3, AX
	SHLQ	$13, AX
	ORQ	$0x1f80, AX
	MOVL	AX, 48(SP)
	LDMXCSR	48(SP)
	// General registers.
	MOVQ	(64+3*8)(SP), BX
	MOVQ	(64+4*8)(SP), DX
	MOVQ	(64+5*8)(SP), SI
	MOVQ	(64+6*8)(SP), DI
	MOVQ	(64+7*8)(SP), BP
	MOVQ	(64+8*8)(SP), R8
	MOVQ	(64+9*8)(SP), R9
	MOVQ	(64+10*8)(SP), R10
	MOVQ	(64+12*8)(SP), R12
	MOVQ	(64+13*8)(SP), R13
	MOVQ	(64+14*8)(SP), R14
	MOVQ	(64+15*8)(SP), R15
	// Every other round a call, else a while for interrupts to come.
	BTQ	$0, 0(SP)
	JCS	spin
	MOVQ	$500, AX
	SYSCALL
	JMP	compare
spin:
	MOVQ	(64+0*8)(SP), AX
	MOVQ	(64+1*8)(SP), CX
	MOVQ	(64+11*8)(SP), R11
	MOVQ	$20000, 32(SP)
wait:
	SUBQ	$1, 32(SP)
	JNZ	wait
	CMPQ	24(SP), $0
	JEQ	noTouch
	// A fault, with a flag to keep.
	PUSHQ	AX
	MOVQ	32(SP), AX
	MOVQ	AX, (AX)
	ADDQ	$4096, 32(SP)
	POPQ	AX
noTouch:
	CHECK(AX, 0, 10)
	CHECK(CX, 1, 11)
	CHECK(R11, 11, 12)
compare:
	CHECK(BX, 3, 13)
	CHECK(DX, 4, 14)
	CHECK(SI, 5, 15)
	CHECK(DI, 6, 16)
	CHECK(BP, 7, 17)
	CHECK(R8, 8, 18)
	CHECK(R9, 9, 19)
	CHECK(R10, 10, 20)
	CHECK(R12, 12, 21)
	CHECK(R13, 13, 22)
	CHECK(R14, 14, 23)
	CHECK(R15, 15, 24)
	STMXCSR	52(SP)
	MOVL	52(SP), AX
	CMPL	AX, 48(SP)
	MOVQ	$25, DI
	JNE	bad
	FMOVVP	F0, 1024(SP)
	FMOVVP	F0, 1032(SP)
	FMOVVP	F0, 1040(SP)
	MOVQ	1024(SP), AX
	CMPQ	AX, 80(SP)
	MOVQ	$26, DI
	JNE	bad
	MOVQ	1032(SP), AX
	CMPQ	AX, 72(SP)
	JNE	bad
	MOVQ	1040(SP), AX
	CMPQ	AX, 64(SP)
	JNE	bad
	MOVQ	$64, CX
	CMPQ	16(SP), $0
	JEQ	sseOut
	VMOVDQU	Y0, (1024+0*32)(SP)
	VMOVDQU	Y1, (1024+1*32)(SP)
	VMOVDQU	Y2, (1024+2*32)(SP)
	VMOVDQU	Y3, (1024+3*32)(SP)
	VMOVDQU	Y4, (1024+4*32)(SP)
	VMOVDQU	Y5, (1024+5*32)(SP)
	VMOVDQU	Y6, (1024+6*32)(SP)
	VMOVDQU	Y7, (1024+7*32)(SP)
	VMOVDQU	Y8, (1024+8*32)(SP)
	VMOVDQU	Y9, (1024+9*32)(SP)
	VMOVDQU	Y10, (1024+10*32)(SP)
	VMOVDQU	Y11, (1024+11*32)(SP)
	VMOVDQU	Y12, (1024+12*32)(SP)
	VMOVDQU	Y13, (1024+13*32)(SP)
	VMOVDQU	Y14, (1024+14*32)(SP)
	VMOVDQU	Y15, (1024+15*32)(SP)
	JMP	vectors
sseOut:
	MOVQ	$32, CX
	MOVUPS	X0, (1024+0*16)(SP)
	MOVUPS	X1, (1024+1*16)(SP)
	MOVUPS	X2, (1024+2*16)(SP)
	MOVUPS	X3, (1024+3*16)(SP)
	MOVUPS	X4, (1024+4*16)(SP)
	MOVUPS	X5, (1024+5*16)(SP)
	MOVUPS	X6, (1024+6*16)(SP)
	MOVUPS	X7, (1024+7*16)(SP)
	MOVUPS	X8, (1024+8*16)(SP)
	MOVUPS	X9, (1024+9*16)(SP)
	MOVUPS	X10, (1024+10*16)(SP)
	MOVUPS	X11, (1024+11*16)(SP)
	MOVUPS	X12, (1024+12*16)(SP)
	MOVUPS	X13, (1024+13*16)(SP)
	MOVUPS	X14, (1024+14*16)(SP)
	MOVUPS	X15, (1024+15*16)(SP)
vectors:
	SUBQ	$1, CX
	MOVQ	64(SP)(CX*8), AX
	CMPQ	AX, 1024(SP)(CX*8)
	JEQ	same
	MOVQ	CX, DI
	ADDQ	$100, DI
	JMP	bad
same:
	TESTQ	CX, CX
	JNZ	vectors
	// Segment bases: FS:0 and GS:0 hold their own addresses.
	CMPQ	40(SP), $0
	JEQ	next
	BYTE $0x64; BYTE $0x48; BYTE $0x8b; BYTE $0x04; BYTE $0x25; LONG $0
	CMPQ	AX, 40(SP)
	MOVQ	$30, DI
	JNE	bad
	BYTE $0x65; BYTE $0x48; BYTE $0x8b; BYTE $0x04; BYTE $0x25; LONG $8
	CMPQ	AX, 40(SP)
	MOVQ	$31, DI
	JNE	bad
next:
	SUBQ	$1, 0(SP)
	JNZ	round
	XORL	DI, DI
bad:
	MOVQ	$60, AX
	SYSCALL
	INT	$3

TEXT ·userEnd(SB),NOSPLIT|NOFRAME,$0
	INT	$3

// func programs() (begin, end, null, touch, spin, trap, verify uintptr)
TEXT ·programs(SB),NOSPLIT,$0-56
	LEAQ	·userNull(SB), AX
	MOVQ	AX, begin+0(FP)
	MOVQ	AX, null+16(FP)
	LEAQ	·userEnd(SB), AX
	MOVQ	AX, end+8(FP)
	LEAQ	·userTouch(SB), AX
	MOVQ	AX, touch+24(FP)
	LEAQ	·userSpin(SB), AX
	MOVQ	AX, spin+32(FP)
	LEAQ	·userTrap(SB), AX
	MOVQ	AX, trap+40(FP)
	LEAQ	·userVerify(SB), AX
	MOVQ	AX, verify+48(FP)
	RET
