//go:build tamarix

#include "textflag.h"

// func textRange() (lo, hi uint64)
TEXT ·textRange(SB),NOSPLIT,$0-16
	LEAQ	runtime·text(SB), AX
	MOVQ	AX, lo+0(FP)
	LEAQ	runtime·etext(SB), AX
	MOVQ	AX, hi+8(FP)
	RET
