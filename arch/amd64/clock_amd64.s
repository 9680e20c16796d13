//go:build tamarix

#include "textflag.h"
#include "go_asm.h"
#include "asm_amd64.h"

// func Nanotime() int64
TEXT ·Nanotime(SB),NOSPLIT,$0-8
	NANOTIME(slow)
	MOVQ	AX, ret+0(FP)
	RET
slow:
	JMP	·nanotimeRest(SB)

// nanotimeRest is the slow end of Nanotime: a function of its own, so that the
// fast way needs no frame.
TEXT ·nanotimeRest(SB),NOSPLIT,$0-8
	CALL	·nanotimeSlow(SB)
	MOVQ	AX, ret+0(FP)
	RET

// vdsoClock stands for the vDSO's clock_gettime: C calling convention, DI =
// clock, SI = *timespec. The runtime calls it on the g0 stack.
TEXT ·vdsoClock(SB),NOSPLIT|NOFRAME,$0
	NANOTIME(slow)
have:
	TESTL	DI, DI
	JNZ	monotonic
	ADDQ	·wallOffset(SB), AX
monotonic:
	XORL	DX, DX
	MOVQ	$1000000000, CX
	DIVQ	CX
	MOVQ	AX, 0(SI)
	MOVQ	DX, 8(SI)
	XORL	AX, AX
	RET
slow:
	CALL	·nanotimeSlow(SB)
	JMP	have

TEXT ·useFastClock(SB),NOSPLIT,$0-0
	LEAQ	·vdsoClock(SB), AX
	MOVQ	AX, runtime·vdsoClockgettimeSym(SB)
	RET

// SLOWCOUNT leaves the extended count of the slowSource in R9 in AX. It clobbers
// CX, DX and R10. The count as of the last tick is read first: what the counter
// has moved on since, or lacks to it, is less than half of its way round.
#define SLOWCOUNT \
	MOVQ	slowSource_count(R9), R10; \
	MOVQ	slowSource_reg(R9), DX; \
	MOVQ	slowSource_shift(R9), CX; \
	CMPQ	slowSource_port(R9), $0; \
	JNE	2(PC); \
	MOVL	(DX), AX; \
	CMPQ	slowSource_port(R9), $0; \
	JEQ	2(PC); \
	INL; \
	SUBQ	R10, AX; \
	SHLQ	CX, AX; \
	SARQ	CX, AX; \
	ADDQ	R10, AX

// nanotimeSlow leaves Nanotime in AX, from any context. It clobbers CX, DX and R8
// to R10, and uses no stack. The TSC may have become the clock meanwhile.
TEXT ·nanotimeSlow(SB),NOSPLIT|NOFRAME,$0
again:
	MOVL	·slowSeq(SB), R8
	TESTL	$1, R8
	JNZ	busy
	MOVQ	·slowNow(SB), R9
	TESTQ	R9, R9
	JZ	fast
	SLOWCOUNT
	SUBQ	slowSource_start(R9), AX
	MULQ	slowSource_mult(R9)
	SHRQ	$32, AX
	SHLQ	$32, DX
	ORQ	DX, AX
	ADDQ	slowSource_ns(R9), AX
	CMPL	R8, ·slowSeq(SB)
	JNE	busy
	RET
busy:
	PAUSE
	JMP	again
fast:
	NANOTIME(busy)
	RET

// func slowCount(s *slowSource) uint64
TEXT ·slowCount(SB),NOSPLIT,$0-16
	MOVQ	s+0(FP), R9
	SLOWCOUNT
	MOVQ	AX, ret+8(FP)
	RET

// func rdtscFenced() uint64
TEXT ·rdtscFenced(SB),NOSPLIT,$0-8
	LFENCE
	RDTSC
	SHLQ	$32, DX
	ORQ	DX, AX
	MOVQ	AX, ret+0(FP)
	RET
