//go:build tamarix

package amd64

import (
	"unsafe"

	"tamarix/arch/memtest"
	"tamarix/boot/info"
)

// memoryTest is what the memory test has found. Set once at boot, read-only.
var memoryTest memtest.Result

// MemoryTest returns what the memory test at boot ("memtest=") has found; all
// zero if there was none.
func MemoryTest() memtest.Result { return memoryTest }

// testMemory tests the free memory, if the command line asks for it. Start-up
// calls it before the frame allocator knows any of it.
func testMemory(b *info.Boot) {
	if n, ok := memtest.Passes(b); ok && n > 0 {
		memoryTest = memtest.Run(b, testMachine{}, n)
		earlyPrint("\n")
	}
}

// testMachine is the machine as the memory test wants it. It says how the test
// gets on, long before there is a log.
type testMachine struct{}

func (testMachine) Words(start, end uint64) []uint64 {
	return unsafe.Slice((*uint64)(physPointer(start)), (end-start)/8)
}

func (testMachine) Flush() { writeBack() }

func (testMachine) Pass(i, n int, p memtest.Pattern) {
	var l line
	l.str("\nMemory test ").dec(uint64(i+1)).str(" of ").dec(uint64(n)).str(": ").digits(p.Value, 16, 16)
	if p.Address {
		l.str(" ^ address")
	}
	earlyPrint(l.str(" ").String())
}

func (testMachine) Step() { earlyPrint(".") }

func (testMachine) Bad(start, end uint64) {
	var l line
	earlyPrint(l.str("\n  BAD MEMORY: ").hex(start).str("-").hex(end - 1).str(" ").String())
}
