//go:build tamarix

package amd64

import (
	"unsafe"

	"tamarix/arch/acpi"
)

// Reboot resets the machine. It does not return. The ways, in order, each tried
// when the one before has done nothing: the firmware's reset register, the
// keyboard controller, the PCI host bridge's reset register, a triple fault. The
// command line's reboot= says with which of them to begin (rebootPlan).
func Reboot() {
	plan := rebootPlan(bootInfo.CommandLine())
	// What the BIOS looks at to tell a warm start.
	flag := uint16(0)
	if plan.warm {
		flag = 0x1234
	}
	if directMapped(0, PageSize) {
		*(*uint16)(physPointer(0x472)) = flag
	}
	for _, way := range plan.ways {
		switch way {
		case rebootACPI:
			serialPrint("reset: ACPI\n")
			resetByRegister()
		case rebootKeyboard:
			serialPrint("reset: keyboard controller\n")
			resetByKeyboard()
		case rebootPCI:
			serialPrint("reset: PCI bridge\n")
			resetByBridge(plan.warm)
		case rebootTriple:
			serialPrint("reset: triple fault\n")
			tripleFault()
		}
	}
	tripleFault()
}

// resetByRegister writes the FADT's reset register (4.8.3.6).
func resetByRegister() {
	f := &firmware
	if !f.fadt.HasReset {
		return
	}
	switch r := f.fadt.Reset; r.Space {
	case acpi.SpacePort:
		outb(uint16(r.Addr), f.fadt.ResetValue)
	case acpi.SpaceMemory:
		if f.resetMapping != 0 {
			*(*byte)(unsafe.Pointer(f.resetMapping)) = f.fadt.ResetValue
		}
	case acpi.SpaceConfig:
		if d, fn, off, ok := r.Config(); ok && off < 256 {
			outl(configAddress, configEnable|uint32(d)<<11|uint32(fn)<<8|uint32(off)&^3)
			outb(configData+off&3, f.fadt.ResetValue)
		}
	}
	BusyWait(50e6)
}

// resetByKeyboard lets the keyboard controller pulse the processor's reset line.
func resetByKeyboard() {
	const (
		port  = 0x64
		reset = 0xfe
		busy  = 1 << 1
	)
	if firmware.hasFADT && !firmware.fadt.Has8042 {
		return
	}
	for range 10 {
		for n := 0; n < 1000 && inb(port)&busy != 0; n++ {
			BusyWait(2e3)
		}
		outb(port, reset)
		BusyWait(5e6)
	}
}

// PCI configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2).
const (
	configAddress = 0xcf8
	configData    = 0xcfc
	configEnable  = 1 << 31
)

// resetByBridge writes the reset control register that chipsets have at 0xcf9, in
// the middle of the configuration address register: a byte written there is
// another register than four bytes written at 0xcf8.
func resetByBridge(warm bool) {
	const (
		port   = 0xcf9
		system = 1 << 1 // reset all, not the CPU alone
		now    = 1 << 2
		full   = 1 << 3 // cycle the power too
	)
	outl(configAddress, configEnable)
	if inl(configAddress) != configEnable {
		return // no PCI
	}
	how := uint8(system | full)
	if warm {
		how = system
	}
	v := inb(port) &^ (system | now | full)
	outb(port, v|how)
	BusyWait(50e3)
	outb(port, v|how|now)
	BusyWait(50e6)
}
