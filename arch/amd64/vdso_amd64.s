#include "textflag.h"

// The functions of the vDSO (vdso(7)). They are never called in the kernel:
// BuildVDSO copies their bytes into the image that every process has mapped.
// Hence they follow the C calling convention (System V ABI, AMD64 supplement,
// 3.2), use no stack, refer to no symbol, and reach the data page by a
// RIP-relative address that BuildVDSO fills in: VVAR loads it into R8. END
// marks where a function ends.

#define VVAR BYTE $0x4c; BYTE $0x8d; BYTE $0x05; LONG $0x7a4d5253 // LEAQ placeholder(RIP), R8
#define END BYTE $0x0f; BYTE $0x0b; QUAD $0x2e6f7364762e646e // UD2 and a mark

// The data page, struct vdsoData of vdso.go.
#define SEQ 0
#define FLAGS 4
#define BASE 8
#define MULT 16
#define WALL 24
#define COARSE 32

// READ_NS leaves the monotonic clock in AX, in ns: (TSC - base) * mult / 2^32.
// It clobbers DX, R10 and R11. The fence is for the reason of NANOTIME's.
#define READ_NS \
	MOVQ	BASE(R8), R10; \
	MOVQ	MULT(R8), R11; \
	LFENCE; \
	RDTSC; \
	SHLQ	$32, DX; \
	ORQ	DX, AX; \
	SUBQ	R10, AX; \
	MULQ	R11; \
	SHRQ	$32, AX; \
	SHLQ	$32, DX; \
	ORQ	DX, AX

// int clock_gettime(clockid_t clock, struct timespec *ts)
TEXT ·vdsoClockGettime(SB),NOSPLIT|NOFRAME,$0
	CMPL	DI, $12
	JAE	call
	MOVL	DI, CX
	MOVL	$1, AX
	SHLL	CX, AX
	VVAR
	TESTL	$0x893, AX // REALTIME MONOTONIC RAW BOOTTIME TAI
	JZ	coarse
	MOVL	AX, CX
again:
	MOVL	SEQ(R8), R9
	TESTL	$1, R9
	JNZ	busy
	TESTL	$1, FLAGS(R8)
	JZ	call
	READ_NS
	TESTL	$0x801, CX // REALTIME, TAI
	JZ	monotonic
	ADDQ	WALL(R8), AX
monotonic:
	CMPL	R9, SEQ(R8)
	JNE	again
split:
	XORL	DX, DX
	MOVL	$1000000000, CX
	DIVQ	CX
	MOVQ	AX, 0(SI)
	MOVQ	DX, 8(SI)
	XORL	AX, AX
	RET
busy:
	PAUSE
	JMP	again
coarse:
	TESTL	$0x60, AX // REALTIME_COARSE, MONOTONIC_COARSE
	JZ	call
	TESTL	$1, FLAGS(R8)
	JZ	call
	MOVQ	COARSE(R8), DX
	TESTL	$0x40, AX
	MOVQ	WALL(R8), AX
	JZ	wall
	XORL	AX, AX
wall:
	ADDQ	DX, AX
	JMP	split
call:
	MOVL	$228, AX // SYS_clock_gettime
	SYSCALL
	RET
	END

// int clock_getres(clockid_t clock, struct timespec *ts)
TEXT ·vdsoClockGetres(SB),NOSPLIT|NOFRAME,$0
	MOVL	$229, AX // SYS_clock_getres
	SYSCALL
	RET
	END

// int gettimeofday(struct timeval *tv, struct timezone *tz)
TEXT ·vdsoGettimeofday(SB),NOSPLIT|NOFRAME,$0
	TESTQ	SI, SI
	JNZ	call
	TESTQ	DI, DI
	JZ	call
	VVAR
again:
	MOVL	SEQ(R8), R9
	TESTL	$1, R9
	JNZ	busy
	TESTL	$1, FLAGS(R8)
	JZ	call
	READ_NS
	ADDQ	WALL(R8), AX
	CMPL	R9, SEQ(R8)
	JNE	again
	XORL	DX, DX
	MOVL	$1000000000, CX
	DIVQ	CX
	MOVQ	AX, 0(DI)
	MOVQ	DX, AX
	XORL	DX, DX
	MOVL	$1000, CX
	DIVQ	CX
	MOVQ	AX, 8(DI)
	XORL	AX, AX
	RET
busy:
	PAUSE
	JMP	again
call:
	MOVL	$96, AX // SYS_gettimeofday
	SYSCALL
	RET
	END

// time_t time(time_t *t)
TEXT ·vdsoTime(SB),NOSPLIT|NOFRAME,$0
	VVAR
	TESTL	$1, FLAGS(R8)
	JZ	call
	MOVQ	COARSE(R8), AX
	ADDQ	WALL(R8), AX
	XORL	DX, DX
	MOVL	$1000000000, CX
	DIVQ	CX
	TESTQ	DI, DI
	JZ	done
	MOVQ	AX, 0(DI)
done:
	RET
call:
	MOVL	$201, AX // SYS_time
	SYSCALL
	RET
	END

// int getcpu(unsigned *cpu, unsigned *node, void *unused)
TEXT ·vdsoGetcpu(SB),NOSPLIT|NOFRAME,$0
	VVAR
	TESTL	$2, FLAGS(R8)
	JZ	call
	RDTSCP // CX = TSC_AUX: the CPU's number
	TESTQ	DI, DI
	JZ	node
	MOVL	CX, 0(DI)
node:
	TESTQ	SI, SI
	JZ	done
	MOVL	$0, 0(SI)
done:
	XORL	AX, AX
	RET
call:
	MOVL	$309, AX // SYS_getcpu
	SYSCALL
	RET
	END

// Where the functions above begin, in the order of vdsoSymbols.
DATA ·vdsoCode+0(SB)/8, $·vdsoClockGettime(SB)
DATA ·vdsoCode+8(SB)/8, $·vdsoClockGetres(SB)
DATA ·vdsoCode+16(SB)/8, $·vdsoGettimeofday(SB)
DATA ·vdsoCode+24(SB)/8, $·vdsoTime(SB)
DATA ·vdsoCode+32(SB)/8, $·vdsoGetcpu(SB)
GLOBL ·vdsoCode(SB), RODATA, $40
