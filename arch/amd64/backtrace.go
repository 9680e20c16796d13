//go:build tamarix

package amd64

import (
	"unsafe"

	"tamarix/arch/symtab"
)

// symbols is the kernel's table of functions; codeStart and codeEnd say where its
// code is, bssStart and bssEnd where the stack of the start lies. Set once, before
// anything else.
var (
	symbols            symtab.Table
	codeStart, codeEnd uint64
	bssStart, bssEnd   uint64
)

// imageRanges returns where the linker put the code, the table of functions, and
// variables without pointers that begin as zero.
func imageRanges() (text, etext, table, etable, bss, ebss uint64)

// framePointer returns RBP.
func framePointer() uint64

func symbolsInit() {
	text, etext, table, etable, bss, ebss := imageRanges()
	codeStart, codeEnd, bssStart, bssEnd = text, etext, bss, ebss
	symbols = symtab.Table{
		Data: unsafe.Slice((*byte)(unsafe.Pointer(uintptr(table))), etable-table),
		Text: uintptr(text),
	}
}

// maxBacktrace is how many frames a backtrace has at most.
const maxBacktrace = 48

// backtrace shows the function at pc, unless it is 0, and those that the frames
// from bp on return to: a frame begins with the caller's frame pointer, and
// behind it is the return address.
func backtrace(pc, bp uint64) {
	if pc != 0 {
		if p, ok := symbols.Find(uintptr(pc)); ok {
			showFrame(p)
		}
	}
	for range maxBacktrace {
		if bp&7 != 0 || !frameReadable(bp) || !frameReadable(bp+8) {
			return
		}
		ret := *wordAt(bp + 8)
		if ret <= codeStart || ret > codeEnd {
			return
		}
		if p, ok := symbols.Find(uintptr(ret - 1)); ok { // the call itself
			showFrame(p)
		}
		bp = *wordAt(bp)
	}
}

// frameReadable reports whether va lies where a stack can be, and can be read.
func frameReadable(va uint64) bool {
	return va >= bssStart && va < bssEnd || kernelRoot != 0 && stackReadable(va)
}

// showFrame writes a line of a backtrace, to the serial port and to the report.
func showFrame(p symtab.Position) {
	var l line
	l.str(p.Func).str("  ").str(p.File).str(":").dec(uint64(p.Line))
	serialPrint("  ")
	serialPrint(l.String())
	serialPrint("\n")
	emergency.report.Frame(p.Func, p.File, p.Line)
}
