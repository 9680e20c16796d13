//go:build tamarix

#include "textflag.h"
#include "go_asm.h"
#include "asm_amd64.h"

// User copies: see usercopy.go. A fault anywhere between userCopyFirst and
// userCopyLast goes on at userCopyFixup. DI counts; R8 is where it began, R9
// where the count is to be stored, 0 if nowhere.

// OPEN turns interrupts off and SMAP's protection, if there is one, too: one
// write of the flags for both, and none that depends on the CPU. CLOSE is the
// way back.
#define OPEN \
	PUSHQ	$(const_flagAC|const_flagFixed); \
	POPFQ

#define CLOSE \
	PUSHQ	$(const_flagIF|const_flagFixed); \
	POPFQ

TEXT ·userCopyFirst(SB),NOSPLIT|NOFRAME,$0
	INT	$3

// func userRead(root Frame, dst unsafe.Pointer, src uint64, n int) int
TEXT ·userRead(SB),NOSPLIT,$0-40
	MOVQ	dst+8(FP), DI
	MOVQ	src+16(FP), SI
	MOVQ	n+24(FP), CX
	LEAQ	ret+32(FP), R9
	JMP	·userMove(SB)

// func userWrite(root Frame, dst uint64, src unsafe.Pointer, n int) int
TEXT ·userWrite(SB),NOSPLIT,$0-40
	MOVQ	dst+8(FP), DI
	MOVQ	src+16(FP), SI
	MOVQ	n+24(FP), CX
	LEAQ	ret+32(FP), R9
	JMP	·userMove(SB)

TEXT ·userMove(SB),NOSPLIT,$0-40
	MOVQ	root+0(FP), AX
	MOVQ	DI, R8
	OPEN
	CMPQ	AX, percpu_root(GS)
	JNE	root
loaded:
	MOVL	CX, BX
	SHRL	$3, CX
	JEQ	bytes
	REP; MOVSQ
	ANDL	$7, BX
	JEQ	done
bytes:
	MOVL	BX, CX
	REP; MOVSB
done:
	JMP	·userCopyFixup(SB)
root:
	MOVQ	$0, percpu_user(GS)
	MOVQ	AX, percpu_root(GS)
	MOVQ	AX, CR3
	JMP	loaded

// func userZero(root Frame, dst uint64, n int) int
TEXT ·userZero(SB),NOSPLIT,$0-32
	MOVQ	root+0(FP), AX
	MOVQ	dst+8(FP), DI
	MOVQ	n+16(FP), CX
	LEAQ	ret+24(FP), R9
	MOVQ	DI, R8
	OPEN
	CMPQ	AX, percpu_root(GS)
	JNE	root
loaded:
	XORL	AX, AX
	CMPL	CX, $8
	JCS	bytes
	MOVL	CX, BX
	SHRL	$3, CX
	REP; STOSQ
	MOVL	BX, CX
	ANDL	$7, CX
	JEQ	done
bytes:
	REP; STOSB
done:
	CLOSE
	SUBQ	R8, DI
	MOVQ	DI, ret+24(FP)
	RET
root:
	MOVQ	$0, percpu_user(GS)
	MOVQ	AX, percpu_root(GS)
	MOVQ	AX, CR3
	JMP	loaded

// userWord readies the access of one word: root and address in AX and DI. It
// returns with interrupts off and SMAP open.
TEXT ·userWord(SB),NOSPLIT|NOFRAME,$0
	XORL	R9, R9
	OPEN
	CMPQ	AX, percpu_root(GS)
	JNE	root
loaded:
	RET
root:
	MOVQ	$0, percpu_user(GS)
	MOVQ	AX, percpu_root(GS)
	MOVQ	AX, CR3
	JMP	loaded

// func userLoad32(root Frame, addr uint64) (v uint32, ok bool)
TEXT ·userLoad32(SB),NOSPLIT|NOFRAME,$0-21
	MOVQ	root+0(FP), AX
	MOVQ	addr+8(FP), DI
	MOVL	$0, v+16(FP)
	MOVB	$0, ok+20(FP)
	CALL	·userWord(SB)
	MOVL	(DI), AX
	MOVL	AX, v+16(FP)
	MOVB	$1, ok+20(FP)
	JMP	·userCopyFixup(SB)

// func userLoad64(root Frame, addr uint64) (v uint64, ok bool)
TEXT ·userLoad64(SB),NOSPLIT|NOFRAME,$0-25
	MOVQ	root+0(FP), AX
	MOVQ	addr+8(FP), DI
	MOVQ	$0, v+16(FP)
	MOVB	$0, ok+24(FP)
	CALL	·userWord(SB)
	MOVQ	(DI), AX
	MOVQ	AX, v+16(FP)
	MOVB	$1, ok+24(FP)
	JMP	·userCopyFixup(SB)

// func userStore32(root Frame, addr uint64, v uint32) (ok bool)
TEXT ·userStore32(SB),NOSPLIT|NOFRAME,$0-25
	MOVQ	root+0(FP), AX
	MOVQ	addr+8(FP), DI
	MOVL	v+16(FP), BX
	MOVB	$0, ok+24(FP)
	CALL	·userWord(SB)
	MOVL	BX, (DI)
	MOVB	$1, ok+24(FP)
	JMP	·userCopyFixup(SB)

// func userStore64(root Frame, addr uint64, v uint64) (ok bool)
TEXT ·userStore64(SB),NOSPLIT|NOFRAME,$0-25
	MOVQ	root+0(FP), AX
	MOVQ	addr+8(FP), DI
	MOVQ	v+16(FP), BX
	MOVB	$0, ok+24(FP)
	CALL	·userWord(SB)
	MOVQ	BX, (DI)
	MOVB	$1, ok+24(FP)
	JMP	·userCopyFixup(SB)

// func userCAS32(root Frame, addr uint64, old, new uint32) (cur uint32, ok bool)
TEXT ·userCAS32(SB),NOSPLIT|NOFRAME,$0-29
	MOVQ	root+0(FP), AX
	MOVQ	addr+8(FP), DI
	MOVL	new+20(FP), BX
	MOVL	$0, cur+24(FP)
	MOVB	$0, ok+28(FP)
	CALL	·userWord(SB)
	MOVL	old+16(FP), AX
	LOCK
	CMPXCHGL	BX, (DI)
	MOVL	AX, cur+24(FP)
	MOVB	$1, ok+28(FP)
	JMP	·userCopyFixup(SB)

// func userString(root Frame, dst unsafe.Pointer, src uint64, n int) (copied int, found bool)
// It copies eight bytes at a time, and looks for the NUL among them as C
// libraries do: x-0x01..01 &^ x & 0x80..80 has its lowest bit in the first zero
// byte of x.
TEXT ·userString(SB),NOSPLIT|NOFRAME,$0-41
	MOVQ	root+0(FP), AX
	MOVQ	dst+8(FP), DI
	MOVQ	src+16(FP), SI
	MOVQ	n+24(FP), CX
	MOVB	$0, found+40(FP)
	CALL	·userWord(SB)
	LEAQ	copied+32(FP), R9
	MOVQ	DI, R8
	MOVQ	$0x0101010101010101, R10
	MOVQ	$0x8080808080808080, R11
	SUBQ	$8, CX
	JLT	tail
words:
	MOVQ	(SI), AX
	MOVQ	AX, (DI)
	MOVQ	AX, BX
	SUBQ	R10, BX
	NOTQ	AX
	ANDQ	R11, AX
	ANDQ	AX, BX
	JNE	last
	ADDQ	$8, SI
	ADDQ	$8, DI
	SUBQ	$8, CX
	JGE	words
tail:
	ADDQ	$8, CX
	JEQ	end
bytes:
	MOVB	(SI), AX
	MOVB	AX, (DI)
	TESTB	AX, AX
	JEQ	found
	INCQ	SI
	INCQ	DI
	DECQ	CX
	JNE	bytes
end:
	JMP	·userCopyFixup(SB)
last:
	BSFQ	BX, BX
	SHRQ	$3, BX
	ADDQ	BX, DI
found:
	MOVB	$1, found+40(FP)
	JMP	·userCopyFixup(SB)

// func userXSave(root Frame, to uint64, u *UserContext, mask uint32) (ok bool)
// It writes the extended state of u as signal frames have it (prepareImage does
// the same by hand), and leaves u with the initial state. Only where the state
// is in this CPU's registers; the XMM registers come from the context.
TEXT ·userXSave(SB),NOSPLIT|NOFRAME,$0-33
	MOVQ	root+0(FP), AX
	MOVQ	to+8(FP), DI
	MOVQ	u+16(FP), SI
	MOVB	$0, ok+32(FP)
	CALL	·userWord(SB)
	CMPQ	SI, percpu_owner(GS)
	JNE	end
	LOADXMM16(XMM, SI)
	MOVL	mask+24(FP), AX
	XORL	DX, DX
	MOVQ	DX, const_xsaveHeader(DI) // XSAVE keeps the bits of components it leaves alone
	XSAVE64_DI
	MOVL	UserContext_mxcsr(SI), CX
	MOVL	CX, const_fxMXCSR(DI)
	ORQ	$(const_xfeatureX87|const_xfeatureSSE), const_xsaveHeader(DI)
	MOVQ	DX, (const_xsaveHeader+8)(DI)
	MOVQ	DX, (const_xsaveHeader+16)(DI)
	MOVQ	DX, (const_xsaveHeader+24)(DI)
	MOVQ	DX, (const_xsaveHeader+32)(DI)
	MOVQ	DX, (const_xsaveHeader+40)(DI)
	MOVQ	DX, (const_xsaveHeader+48)(DI)
	MOVQ	DX, (const_xsaveHeader+56)(DI)
	MOVQ	·frameSoftware+0(SB), CX
	MOVQ	CX, (const_fxSoftware+0)(DI)
	MOVQ	·frameSoftware+8(SB), CX
	MOVQ	CX, (const_fxSoftware+8)(DI)
	MOVQ	·frameSoftware+16(SB), CX
	MOVQ	CX, (const_fxSoftware+16)(DI)
	MOVQ	DX, (const_fxSoftware+24)(DI)
	MOVQ	DX, (const_fxSoftware+32)(DI)
	MOVQ	DX, (const_fxSoftware+40)(DI)
	MOVL	$const_fpMagic2, (DI)(CX*1)
	// All is written. A header without components asks for their initial states.
	MOVQ	DX, (UserContext_xsave+const_xsaveHeader)(SI)
	MOVL	$const_defaultMXCSR, CX
	MOVL	CX, (UserContext_xsave+const_fxMXCSR)(SI)
	MOVL	CX, UserContext_mxcsr(SI)
	LEAQ	UserContext_xsave(SI), DI
	XRSTOR64_DI
	PXOR	X15, X15
	CLEARXMM(XMM, SI)
	MOVB	$1, ok+32(FP)
end:
	JMP	·userCopyFixup(SB)

// func userXRstor(root Frame, from uint64, u *UserContext, mask uint32) (ok bool)
// It takes the extended state from a signal frame that userXSave has written,
// as far as its marks tell, into the registers of this CPU, where u's is. After
// a fault they, and MXCSR, may hold anything.
TEXT ·userXRstor(SB),NOSPLIT|NOFRAME,$0-33
	MOVQ	root+0(FP), AX
	MOVQ	from+8(FP), DI
	MOVQ	u+16(FP), SI
	MOVB	$0, ok+32(FP)
	CALL	·userWord(SB)
	CMPQ	SI, percpu_owner(GS)
	JNE	end
	MOVQ	(const_fxSoftware+0)(DI), AX
	CMPQ	AX, ·frameSoftware+0(SB)
	JNE	end
	MOVQ	(const_fxSoftware+8)(DI), AX
	CMPQ	AX, ·frameSoftware+8(SB)
	JNE	end
	MOVQ	·frameSoftware+16(SB), CX
	CMPL	(const_fxSoftware+16)(DI), CX
	JNE	end
	CMPL	(DI)(CX*1), $const_fpMagic2
	JNE	end
	MOVL	·mxcsrMask(SB), AX
	NOTL	AX
	TESTL	AX, const_fxMXCSR(DI)
	JNE	end
	MOVL	mask+24(FP), AX
	XORL	DX, DX
	XRSTOR64_DI
	SAVEXMM(XMM, SI)
	STMXCSR	UserContext_mxcsr(SI)
	LDMXCSR	·kernelMXCSR(SB)
	MOVB	$1, ok+32(FP)
end:
	JMP	·userCopyFixup(SB)

TEXT ·userCopyLast(SB),NOSPLIT|NOFRAME,$0
	INT	$3

// userCopyFixup ends a copy, whether it came to its end or to a fault.
TEXT ·userCopyFixup(SB),NOSPLIT|NOFRAME,$0
	CLOSE
	TESTQ	R9, R9
	JEQ	done
	SUBQ	R8, DI
	MOVQ	DI, (R9)
done:
	RET

// func resetMXCSR()
TEXT ·resetMXCSR(SB),NOSPLIT,$0-0
	LDMXCSR	·kernelMXCSR(SB)
	RET
