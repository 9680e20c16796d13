//go:build tamarix

package amd64

import (
	"runtime"
	"unsafe"

	"tamarix/arch/acpi"
)

// PowerOff turns the machine off by ACPI's soft-off state S5. It returns only
// if the firmware gives no way to do that, or the machine does not obey. Like
// Reboot and Halt it works in any context.
//
// The firmware's own methods that are to run before (\_PTS) do not: they are byte
// code.
func PowerOff() {
	f := &firmware
	if !f.hasS5 {
		return
	}
	if f.fadt.HardwareReduced {
		control, status := acpi.ReducedSleep(f.sleepA)
		writeRegister(f.fadt.SleepStatus, 0, uint16(status))
		writeRegister(f.fadt.SleepControl, 0, uint16(control))
		BusyWait(1e9)
		return
	}
	enterACPIMode()
	// What could wake the machine at once: a pending wake status, events.
	writeRegister(f.fadt.PM1aEvent, 0, acpi.WakeStatus)
	writeRegister(f.fadt.PM1bEvent, 0, acpi.WakeStatus)
	disableEvents(f.fadt.GPE0)
	disableEvents(f.fadt.GPE1)
	// The type first, then the same with the order to enter it (7.4.2).
	a := acpi.SleepType(readRegister(f.fadt.PM1a, 0), f.sleepA)
	b := acpi.SleepType(readRegister(f.fadt.PM1b, 0), f.sleepB)
	writeRegister(f.fadt.PM1a, 0, a)
	writeRegister(f.fadt.PM1b, 0, b)
	writeRegister(f.fadt.PM1a, 0, acpi.SleepNow(a))
	writeRegister(f.fadt.PM1b, 0, acpi.SleepNow(b))
	BusyWait(1e9)
}

// enterACPIMode asks the firmware to leave the power registers to us (4.8.2.5),
// which can take it a while.
func enterACPIMode() {
	f := &firmware.fadt
	if readRegister(f.PM1a, 0)&acpi.SCIEnable != 0 || f.SMICommand == 0 || f.EnableACPI == 0 {
		return
	}
	outb(f.SMICommand, f.EnableACPI)
	for n := 0; n < 300 && readRegister(f.PM1a, 0)&acpi.SCIEnable == 0; n++ {
		BusyWait(1e6)
	}
}

// disableEvents clears the enable registers of a block of general-purpose events,
// its second half.
func disableEvents(block acpi.Address) {
	n := uint64(block.Bits / 16)
	block.Bits = 8
	for i := range n {
		writeRegister(block, n+i, 0)
	}
}

// BusyWait spins for so many nanoseconds. It may be called in any context, with
// all other CPUs stopped.
func BusyWait(ns int64) {
	for end := busyTime() + ns; busyTime() < end; {
		pause()
	}
}

// readRegister reads 8 or 16 bits of the power-management registers, at an offset
// in the block a. A register that does not exist reads as 0.
func readRegister(a acpi.Address, offset uint64) uint16 {
	switch p := registerAt(a, offset); {
	case a.Addr == 0:
	case a.Space == acpi.SpacePort && a.Bits == 8:
		return uint16(inb(uint16(a.Addr + offset)))
	case a.Space == acpi.SpacePort:
		return inw(uint16(a.Addr + offset))
	case p == nil:
	case a.Bits == 8:
		return uint16(*(*uint8)(p))
	default:
		return *(*uint16)(p)
	}
	return 0
}

// writeRegister writes one. Where there is none, it does nothing.
func writeRegister(a acpi.Address, offset uint64, v uint16) {
	switch p := registerAt(a, offset); {
	case a.Addr == 0:
	case a.Space == acpi.SpacePort && a.Bits == 8:
		outb(uint16(a.Addr+offset), uint8(v))
	case a.Space == acpi.SpacePort:
		outw(uint16(a.Addr+offset), v)
	case p == nil:
	case a.Bits == 8:
		*(*uint8)(p) = uint8(v)
	default:
		*(*uint16)(p) = v
	}
}

// registerAt maps a register that lies in memory.
func registerAt(a acpi.Address, offset uint64) unsafe.Pointer {
	if a.Addr == 0 || a.Space != acpi.SpaceMemory {
		return nil
	}
	return unsafe.Pointer(MapDevice(a.Addr+offset, 2))
}

// tripleFault makes the CPU shut down, which resets a PC: an exception with an
// empty descriptor table cannot be delivered, nor can the next.
func tripleFault() {
	var empty [10]byte
	pin()
	loadIDT(unsafe.Pointer(&empty))
	runtime.Breakpoint()
}

// haltCode tells an ExitHook that the machine is to stop, not to restart.
const haltCode = -1

// Halt stops all CPUs for good.
func Halt() {
	pin()
	exitKernel(haltCode)
}
