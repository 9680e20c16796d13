//go:build tamarix

package main

import (
	"unsafe"

	"tamarix/arch/amd64"
	"tamarix/boot/info"
)

// lowMemorySize is how much of physical memory, from 0 on, the stub saves from
// TamaGo's cpuinit: its tables and stack lie at 0x8000-0xcfff, and it takes
// page 0 for a guard page, where QEMU's memory map lies.
const lowMemorySize = 0xd000

// Defined in entry_amd64.s. bootRegisters and lowMemory are filled by the stub,
// which finds them in the symbol table.
var (
	bootRegisters [4]uint32 // EAX and EBX at entry
	lowMemory     [lowMemorySize]byte
	tableSpace    [8 * 4096]byte // the first page tables, page-aligned within
)

// boot is the one copy of the boot information.
var boot info.Boot

func reload(root uintptr)
func hasNX() bool
func stop()

// physical reads physical memory below 4 GiB, which the first page tables map.
type physical struct{}

func (physical) Bytes(addr, n uint64) []byte {
	if addr >= 1<<32 || n > 1<<32-addr {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(info.DirectMap+addr))), n)
}

// early runs on the boot stack before there is a Go runtime: no allocation, no
// panic that anybody would see, no package-level initialisation. It reads the
// boot information, makes the page tables that stay, and returns what
// arch/amd64 starts from.
func early() *info.Boot {
	err := info.Parse(&boot, bootRegisters[0], bootRegisters[1], physical{})
	// Whatever is wrong with the rest, the screen may be good.
	amd64.ScreenInit(&boot, info.DirectMap, mapScreen(&boot))
	if f := &boot.Framebuffer; f.Kind == info.RGB {
		boot.Reserve(f.Address, f.Address+f.Size()) // no memory, whatever the map says
	}
	if err != nil {
		fail(err)
	}
	if err := mapMemory(&boot); err != nil {
		fail(err)
	}
	return &boot
}

// fail says why the machine cannot start, on the first serial port and on the
// screen, and stops.
func fail(err error) {
	// Every error here is a constant: calling Error would need no heap, but
	// goes through an interface table that is there already.
	amd64.EarlyPrint("tamarix: cannot start: ")
	amd64.EarlyPrint(err.Error())
	amd64.EarlyPrint("\n")
	stop()
}
