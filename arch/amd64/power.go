//go:build tamarix

package amd64

import (
	"time"
	"unsafe"

	"github.com/usbarmory/tamago/soc/intel/rtc"
	"golang.org/x/sys/unix"

	"tamarix/arch/acpi"
)

// PowerOff turns the machine off by ACPI's soft-off state S5. It returns only
// if the firmware gives no way to do that, or the machine does not obey. Like
// Reboot and Halt it works in any context.
func PowerOff() {
	readFirmware()
	f := &firmware
	if !f.hasFADT {
		return
	}
	typA, typB, ok := acpi.FindS5(acpiTables.Table(f.fadt.DSDT))
	acpiTables.Each(func(t []byte) {
		if !ok && string(t[:4]) == "SSDT" {
			typA, typB, ok = acpi.FindS5(t)
		}
	})
	if !ok {
		return
	}
	const sciEnabled = 1 // of PM1 control: ACPI mode is on
	if readRegister(f.fadt.PM1a)&sciEnabled == 0 && f.fadt.SMICommand != 0 && f.fadt.EnableACPI != 0 {
		outb(f.fadt.SMICommand, f.fadt.EnableACPI)
		for n := 0; n < 300 && readRegister(f.fadt.PM1a)&sciEnabled == 0; n++ {
			busyWait(1e6)
		}
	}
	writeRegister(f.fadt.PM1a, acpi.SleepValue(typA))
	if f.fadt.PM1b.Addr != 0 {
		writeRegister(f.fadt.PM1b, acpi.SleepValue(typB))
	}
	busyWait(1e9)
}

// busyWait spins for so many nanoseconds.
func busyWait(ns int64) {
	for end := Nanotime() + ns; Nanotime() < end; {
		pause()
	}
}

// readRegister reads a 16-bit register of the power-management block.
func readRegister(a acpi.Address) uint16 {
	if a.Addr == 0 || a.Space != acpi.SpacePort {
		return 0
	}
	return inw(uint16(a.Addr))
}

func writeRegister(a acpi.Address, v uint16) {
	if a.Addr != 0 && a.Space == acpi.SpacePort {
		outw(uint16(a.Addr), v)
	}
}

// Reboot resets the machine: by the firmware's reset register, else by the
// keyboard controller, else by a triple fault. It does not return.
func Reboot() {
	readFirmware()
	f := &firmware
	if f.hasFADT && f.fadt.HasReset {
		switch r := f.fadt.Reset; r.Space {
		case acpi.SpacePort:
			outb(uint16(r.Addr), f.fadt.ResetValue)
		case acpi.SpaceMemory:
			if p := MapDevice(r.Addr, 1); p != 0 {
				*(*byte)(unsafe.Pointer(p)) = f.fadt.ResetValue
			}
		}
		busyWait(50e6)
	}
	const (
		kbdPort  = 0x64
		kbdReset = 0xfe // pulse the processor's reset line
		kbdBusy  = 1 << 1
	)
	for n := 0; n < 1000 && inb(kbdPort)&kbdBusy != 0; n++ {
		busyWait(10e3)
	}
	outb(kbdPort, kbdReset)
	busyWait(50e6)
	tripleFault()
}

// tripleFault makes the CPU shut down, which resets a PC: an exception with an
// empty descriptor table cannot be delivered, nor can the next.
func tripleFault() {
	var empty [10]byte
	pin()
	loadIDT(unsafe.Pointer(&empty))
	*(*byte)(nil) = 0
}

// haltCode tells an ExitHook that the machine is to stop, not to restart.
const haltCode = -1

// Halt stops all CPUs for good.
func Halt() {
	pin()
	exitKernel(haltCode)
}

// ReadRTC returns the time that the battery-backed clock shows, taken for UTC,
// through TamaGo's driver. The clock must not be read while it counts on, and
// then says so.
func ReadRTC() (time.Time, error) {
	readFirmware()
	if firmware.hasFADT && firmware.fadt.NoCMOSClock {
		return time.Time{}, unix.ENODEV
	}
	c := rtc.RTC{Location: time.UTC}
	for range 2000 {
		a, err := c.Now()
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		// Twice the same, or it was read across a second's end.
		if b, err := c.Now(); err == nil && a.Equal(b) {
			if a.Year() < 100 { // no century in this chip
				a = a.AddDate(2000, 0, 0)
			}
			return a, nil
		}
	}
	return time.Time{}, unix.ENODEV // it claims to be updating for ever
}
