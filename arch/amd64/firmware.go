//go:build tamarix

package amd64

import (
	"tamarix/arch/acpi"
	"tamarix/boot/info"
)

// What the firmware says. Static, because it is read before there is a heap;
// written by openFirmware only.
var firmware struct {
	window acpi.Window
	tables acpi.Tables
	madt   acpi.MADT
	fadt   acpi.FADT
	hpet   acpi.HPET

	hasMADT, hasFADT, hasHPET bool
	err                       error // why there is no ACPI at all
}

// openFirmware reads the ACPI tables. It runs once, on the boot processor,
// before the Go runtime does.
func openFirmware(b *info.Boot) {
	f := &firmware
	f.window.Base = physPointer(0)
	f.window.Limit = b.Top(512 << 30)
	if f.err = f.tables.Open(b.RSDP, b.RSDPCopy[:b.RSDPLen], &f.window); f.err != nil {
		return
	}
	f.hasMADT = f.madt.Parse(f.tables.Find("APIC"))
	f.hasFADT = f.fadt.Parse(f.tables.Find("FACP"))
	f.hasHPET = f.hpet.Parse(f.tables.Find("HPET"))
}

// FirmwareReport calls log for each thing about the firmware's tables that
// somebody may want to know.
func FirmwareReport(log func(format string, a ...any)) {
	f := &firmware
	if f.err != nil {
		log("ACPI: %v", f.err)
		return
	}
	f.tables.Each(func(t []byte) {
		log("ACPI: %s %d bytes, %.6s %.8s", t[:4], len(t), trim(t[10:16]), trim(t[16:24]))
	})
	for _, p := range f.tables.Problems() {
		log("ACPI: table %q at %#x left out: %v", p.Signature[:], p.Address, p.Reason)
	}
	if f.madt.Ignored > 0 {
		log("ACPI: %d entries of the MADT make no sense", f.madt.Ignored)
	}
}

// trim cuts the padding off a name in a table.
func trim(p []byte) []byte {
	for len(p) > 0 && (p[len(p)-1] == ' ' || p[len(p)-1] == 0) {
		p = p[:len(p)-1]
	}
	return p
}

// PhysicalMemory returns n bytes of physical memory, or nil where the direct
// map does not reach. It is for what the loader left there.
func PhysicalMemory(addr, n uint64) []byte { return firmware.window.Bytes(addr, n) }
