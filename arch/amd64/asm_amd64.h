// Shared by the assembly files of this package.

#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102

// Instructions the assembler lacks.
#define RDFSBASE_AX	BYTE $0xf3; BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0xc0
#define WRFSBASE_AX	BYTE $0xf3; BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0xd0
#define WRFSBASE_CX	BYTE $0xf3; BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0xd1
#define CLAC		BYTE $0x0f; BYTE $0x01; BYTE $0xca
#define STAC		BYTE $0x0f; BYTE $0x01; BYTE $0xcb
#define SYSRETQ		BYTE $0x48; BYTE $0x0f; BYTE $0x07
#define XSAVE64_BX	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0xa3	// and a 32-bit displacement
#define XRSTOR64_BX	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0xab	// and a 32-bit displacement

#define XSAVE64_DI	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0x27
#define XRSTOR64_DI	BYTE $0x48; BYTE $0x0f; BYTE $0xae; BYTE $0x2f

// Where a UserContext has its XMM registers.
#define XMM (UserContext_xsave+const_fxXMM)

#define SAVEXMM(OFF, B) \
	MOVUPS	X0, (OFF+0*16)(B); \
	MOVUPS	X1, (OFF+1*16)(B); \
	MOVUPS	X2, (OFF+2*16)(B); \
	MOVUPS	X3, (OFF+3*16)(B); \
	MOVUPS	X4, (OFF+4*16)(B); \
	MOVUPS	X5, (OFF+5*16)(B); \
	MOVUPS	X6, (OFF+6*16)(B); \
	MOVUPS	X7, (OFF+7*16)(B); \
	MOVUPS	X8, (OFF+8*16)(B); \
	MOVUPS	X9, (OFF+9*16)(B); \
	MOVUPS	X10, (OFF+10*16)(B); \
	MOVUPS	X11, (OFF+11*16)(B); \
	MOVUPS	X12, (OFF+12*16)(B); \
	MOVUPS	X13, (OFF+13*16)(B); \
	MOVUPS	X14, (OFF+14*16)(B); \
	MOVUPS	X15, (OFF+15*16)(B)

// LOADXMM16 loads them whole; see LOADXMM.
#define LOADXMM16(OFF, B) \
	MOVUPS	(OFF+0*16)(B), X0; \
	MOVUPS	(OFF+1*16)(B), X1; \
	MOVUPS	(OFF+2*16)(B), X2; \
	MOVUPS	(OFF+3*16)(B), X3; \
	MOVUPS	(OFF+4*16)(B), X4; \
	MOVUPS	(OFF+5*16)(B), X5; \
	MOVUPS	(OFF+6*16)(B), X6; \
	MOVUPS	(OFF+7*16)(B), X7; \
	MOVUPS	(OFF+8*16)(B), X8; \
	MOVUPS	(OFF+9*16)(B), X9; \
	MOVUPS	(OFF+10*16)(B), X10; \
	MOVUPS	(OFF+11*16)(B), X11; \
	MOVUPS	(OFF+12*16)(B), X12; \
	MOVUPS	(OFF+13*16)(B), X13; \
	MOVUPS	(OFF+14*16)(B), X14; \
	MOVUPS	(OFF+15*16)(B), X15

// CLEARXMM stores zeros, which are in X15.
#define CLEARXMM(OFF, B) \
	MOVUPS	X15, (OFF+0*16)(B); \
	MOVUPS	X15, (OFF+1*16)(B); \
	MOVUPS	X15, (OFF+2*16)(B); \
	MOVUPS	X15, (OFF+3*16)(B); \
	MOVUPS	X15, (OFF+4*16)(B); \
	MOVUPS	X15, (OFF+5*16)(B); \
	MOVUPS	X15, (OFF+6*16)(B); \
	MOVUPS	X15, (OFF+7*16)(B); \
	MOVUPS	X15, (OFF+8*16)(B); \
	MOVUPS	X15, (OFF+9*16)(B); \
	MOVUPS	X15, (OFF+10*16)(B); \
	MOVUPS	X15, (OFF+11*16)(B); \
	MOVUPS	X15, (OFF+12*16)(B); \
	MOVUPS	X15, (OFF+13*16)(B); \
	MOVUPS	X15, (OFF+14*16)(B); \
	MOVUPS	X15, (OFF+15*16)(B)

// LOADXMM goes by halves: where QEMU stands in for the CPU, a load of 16 bytes
// at once costs several times the two, and this is on every way to ring 3.
#define LOADXMM(OFF, B) \
	MOVLPS	(OFF+0*16)(B), X0; \
	MOVHPS	(OFF+0*16+8)(B), X0; \
	MOVLPS	(OFF+1*16)(B), X1; \
	MOVHPS	(OFF+1*16+8)(B), X1; \
	MOVLPS	(OFF+2*16)(B), X2; \
	MOVHPS	(OFF+2*16+8)(B), X2; \
	MOVLPS	(OFF+3*16)(B), X3; \
	MOVHPS	(OFF+3*16+8)(B), X3; \
	MOVLPS	(OFF+4*16)(B), X4; \
	MOVHPS	(OFF+4*16+8)(B), X4; \
	MOVLPS	(OFF+5*16)(B), X5; \
	MOVHPS	(OFF+5*16+8)(B), X5; \
	MOVLPS	(OFF+6*16)(B), X6; \
	MOVHPS	(OFF+6*16+8)(B), X6; \
	MOVLPS	(OFF+7*16)(B), X7; \
	MOVHPS	(OFF+7*16+8)(B), X7; \
	MOVLPS	(OFF+8*16)(B), X8; \
	MOVHPS	(OFF+8*16+8)(B), X8; \
	MOVLPS	(OFF+9*16)(B), X9; \
	MOVHPS	(OFF+9*16+8)(B), X9; \
	MOVLPS	(OFF+10*16)(B), X10; \
	MOVHPS	(OFF+10*16+8)(B), X10; \
	MOVLPS	(OFF+11*16)(B), X11; \
	MOVHPS	(OFF+11*16+8)(B), X11; \
	MOVLPS	(OFF+12*16)(B), X12; \
	MOVHPS	(OFF+12*16+8)(B), X12; \
	MOVLPS	(OFF+13*16)(B), X13; \
	MOVHPS	(OFF+13*16+8)(B), X13; \
	MOVLPS	(OFF+14*16)(B), X14; \
	MOVHPS	(OFF+14*16+8)(B), X14; \
	MOVLPS	(OFF+15*16)(B), X15; \
	MOVHPS	(OFF+15*16+8)(B), X15

// General registers in the order of trapFrame.
#define SAVEREGS \
	MOVQ	AX, 0(SP); \
	MOVQ	BX, 8(SP); \
	MOVQ	CX, 16(SP); \
	MOVQ	DX, 24(SP); \
	MOVQ	SI, 32(SP); \
	MOVQ	DI, 40(SP); \
	MOVQ	BP, 48(SP); \
	MOVQ	R8, 56(SP); \
	MOVQ	R9, 64(SP); \
	MOVQ	R10, 72(SP); \
	MOVQ	R11, 80(SP); \
	MOVQ	R12, 88(SP); \
	MOVQ	R13, 96(SP); \
	MOVQ	R14, 104(SP); \
	MOVQ	R15, 112(SP)

#define LOADREGS \
	MOVQ	0(SP), AX; \
	MOVQ	8(SP), BX; \
	MOVQ	16(SP), CX; \
	MOVQ	24(SP), DX; \
	MOVQ	32(SP), SI; \
	MOVQ	40(SP), DI; \
	MOVQ	48(SP), BP; \
	MOVQ	56(SP), R8; \
	MOVQ	64(SP), R9; \
	MOVQ	72(SP), R10; \
	MOVQ	80(SP), R11; \
	MOVQ	88(SP), R12; \
	MOVQ	96(SP), R13; \
	MOVQ	104(SP), R14; \
	MOVQ	112(SP), R15

// NANOTIME leaves Nanotime in AX: (TSC - tscBase) * tscMult / 2^32, in ns. It
// clobbers DX. Where the TSC is not the clock it jumps to slow (clock_source.go).
// The fence keeps the reading from being done before what comes before it: another
// CPU may have read a later time and told us so.
#define NANOTIME(slow) \
	LFENCE; \
	RDTSC; \
	SHLQ	$32, DX; \
	ORQ	DX, AX; \
	SUBQ	·tscBase(SB), AX; \
	JMI	slow; \
	MULQ	·tscMult(SB); \
	SHRQ	$32, AX; \
	SHLQ	$32, DX; \
	ORQ	DX, AX
