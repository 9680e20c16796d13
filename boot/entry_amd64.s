//go:build tamarix

#include "textflag.h"

// The way from the loader to Go. The 32-bit stub that boot/mkkernel puts into
// the image's first page runs first, then TamaGo's cpuinit, which enters 64-bit
// mode and jumps here, still at the physical address.

#define DIRECT_MAP	$0xffff800000000000	// info.DirectMap
#define LOW_SIZE	$0xd000			// lowMemorySize in early.go
#define STACK_SIZE	65536
#define CR0_WP		$0x10000
#define MSR_EFER	$0xc0000080
#define EFER_NXE	$0x800
#define CPUID_NX	$0x100000	// leaf 0x80000001, EDX
#define MSR_FS_BASE	$0xc0000100

TEXT _rt0_tamago_start(SB),NOSPLIT|NOFRAME,$0
	CLI

	// Tables of our own, first: cpuinit's use 1 GiB pages, which not every
	// CPU has, and lie in memory that is somebody else's. One PML4, one PDPT
	// and four page directories map the first 4 GiB twice, where they are
	// and from DIRECT_MAP on. RIP-relative addresses are physical here.
	LEAQ	·tableSpace(SB), DI
	ADDQ	$4095, DI
	ANDQ	$~4095, DI
	LEAQ	0x1003(DI), AX		// present, writable
	MOVQ	AX, (DI)
	MOVQ	AX, 2048(DI)		// slot 256
	LEAQ	0x2003(DI), AX
	MOVQ	AX, 0x1000(DI)
	ADDQ	$0x1000, AX
	MOVQ	AX, 0x1008(DI)
	ADDQ	$0x1000, AX
	MOVQ	AX, 0x1010(DI)
	ADDQ	$0x1000, AX
	MOVQ	AX, 0x1018(DI)
	LEAQ	0x2000(DI), BX
	MOVQ	$0x83, AX		// present, writable, 2 MiB
	MOVQ	$2048, CX
leaf:
	MOVQ	AX, (BX)
	ADDQ	$8, BX
	ADDQ	$0x200000, AX
	SUBQ	$1, CX
	JNZ	leaf

	// No-execute before any entry has that bit; write protection for ring 0.
	MOVL	$0x80000001, AX
	CPUID
	TESTL	CPUID_NX, DX
	JZ	noNX
	MOVL	MSR_EFER, CX
	RDMSR
	ORL	EFER_NXE, AX
	WRMSR
noNX:
	MOVQ	CR0, AX
	ORQ	CR0_WP, AX
	MOVQ	AX, CR0

	LEAQ	·tableSpace(SB), DI
	ADDQ	$4095, DI
	ANDQ	$~4095, DI
	MOVQ	DI, CR3
	LEAQ	high<>(SB), AX
	MOVQ	DIRECT_MAP, CX
	ORQ	CX, AX
	JMP	AX

TEXT high<>(SB),NOSPLIT|NOFRAME,$0
	// The descriptor table where it is linked: the low half goes soon.
	MOVQ	$github·com∕usbarmory∕tamago∕amd64·gdtptr(SB), AX
	LGDT	(AX)

	// Give back what cpuinit overwrote: boot information or a module may
	// lie there.
	CLD
	LEAQ	·lowMemory(SB), SI
	MOVQ	DIRECT_MAP, DI
	MOVQ	LOW_SIZE, CX
	SHRQ	$3, CX
	REP; MOVSQ

	// A stack, a thread pointer and a goroutine that is none, enough for Go
	// code that does not allocate: its g is found at -8(FS).
	LEAQ	·bootStack(SB), SP
	ADDQ	$STACK_SIZE, SP
	ANDQ	$~15, SP
	XORL	BP, BP
	LEAQ	·bootTLS(SB), AX
	LEAQ	·bootG(SB), R14
	MOVQ	R14, (AX)
	ADDQ	$8, AX
	MOVQ	AX, DX
	SHRQ	$32, DX
	MOVL	MSR_FS_BASE, CX
	WRMSR
	PXOR	X15, X15
	SUBQ	$32, SP
	CALL	·early(SB)
	MOVQ	0(SP), DI		// *info.Boot
	ADDQ	$32, SP
	JMP	tamarix∕arch∕amd64·earlyStart(SB)

// func reload(root uintptr)
TEXT ·reload(SB),NOSPLIT,$0-8
	MOVQ	root+0(FP), AX
	MOVQ	AX, CR3
	RET

// func hasNX() bool
TEXT ·hasNX(SB),NOSPLIT,$0-1
	MOVL	$0x80000001, AX
	CPUID
	SHRL	$20, DX
	ANDL	$1, DX
	MOVB	DX, ret+0(FP)
	RET

// func stop()
TEXT ·stop(SB),NOSPLIT,$0
	CLI
	HLT
	JMP	0(PC)

GLOBL	·tableSpace(SB), NOPTR, $(8*4096)
GLOBL	·bootStack(SB), NOPTR, $STACK_SIZE
GLOBL	·bootTLS(SB), NOPTR, $16
GLOBL	·bootG(SB), NOPTR, $1024
GLOBL	·lowMemory(SB), NOPTR, $0xd000
GLOBL	·bootRegisters(SB), NOPTR, $16
