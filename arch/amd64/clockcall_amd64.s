//go:build tamarix

#include "textflag.h"
#include "go_asm.h"
#include "asm_amd64.h"

// clock_gettime(2) is answered right at the system call entry, on no stack and
// with interrupts off, when the clock follows from the TSC and the result can
// be stored. Everything else - other clocks, a TSC that is none, a page that is not there yet, a
// bad address - goes the way of all calls, from the beginning.

// Clocks by number: those answered here, and those that follow the wall clock.
#define CLOCKS 0x893		// REALTIME MONOTONIC MONOTONIC_RAW BOOTTIME TAI
#define WALL_CLOCKS 0x801	// REALTIME TAI

// clockCall is jumped to by syscallEntry with all registers but GS the user's.
// Arguments: DI clock, SI *timespec.
TEXT ·clockCall(SB),NOSPLIT|NOFRAME,$0
	MOVQ	DX, percpu_clockDX(GS)
	MOVQ	CX, percpu_clockCX(GS)
	CMPL	DI, $12
	JAE	general
	MOVL	$CLOCKS, CX
	BTL	DI, CX
	JCC	general
	MOVQ	SI, CX
	SHRQ	$47, CX
	JNZ	general
	NANOTIME(general)
	MOVL	$WALL_CLOCKS, CX
	BTL	DI, CX
	JCC	monotonic
	ADDQ	·wallOffset(SB), AX
monotonic:
	XORL	DX, DX
	MOVL	$1000000000, CX
	DIVQ	CX
	CMPB	·hasSMAP(SB), $0
	JEQ	store
	STAC
store:
	JMP	·clockStore(SB)
general:
	JMP	·clockGeneral(SB)

// clockStore stores seconds and nanoseconds, AX and DX, and returns to ring 3,
// which restores the flags, AC with them. The stores may fault: trapEntry knows
// the place.
TEXT ·clockStore(SB),NOSPLIT|NOFRAME,$0
	MOVQ	AX, 0(SI)
	MOVQ	DX, 8(SI)	// const_clockStoreLen is where this begins, + 1
	XORL	AX, AX
	MOVQ	percpu_clockDX(GS), DX
	MOVQ	percpu_clockCX(GS), CX
	SWAPGS
	SYSRETQ

// clockFault is jumped to by trapEntry, on the IST stack, when a store has
// faulted. Only AX is spoiled.
TEXT ·clockFault(SB),NOSPLIT|NOFRAME,$0
	CMPB	·hasSMAP(SB), $0
	JEQ	closed
	CLAC
closed:
	MOVQ	40(SP), SP	// the user's
	JMP	·clockGeneral(SB)

TEXT ·clockGeneral(SB),NOSPLIT|NOFRAME,$0
	MOVQ	percpu_clockDX(GS), DX
	MOVQ	percpu_clockCX(GS), CX
	MOVQ	$const_sysClockGettime, AX
	JMP	·userSyscall(SB)
