//go:build tamarix

package amd64

import (
	"tamarix/arch/acpi"
	"tamarix/boot/info"
)

// What the firmware's tables say. Set once at boot, before there is a Go
// runtime, by acpiInit; read-only.
var (
	acpiTables acpi.Tables
	acpiError  error // why there are none
	madt       acpi.MADT
	hasMADT    bool

	firmware struct {
		fadt         acpi.FADT
		hpet         acpi.HPET
		mcfg         acpi.MCFG
		dsdt, facs   []byte
		hasFADT      bool
		hasHPET      bool
		hasS5        bool
		sleepA       uint8 // SLP_TYP of soft off, for the registers PM1a and PM1b
		sleepB       uint8
		memory       firmwareMemory
		resetMapping uintptr // of the reset register, if it lies in memory
	}
)

const errACPIOff acpi.Error = "off, by the command line"

// acpiInit reads the firmware's tables. It reports whether there is a MADT.
//
// Of the command line: acpi=off reads none, acpi_rsdp=ADDRESS says where the
// root pointer is, as a kernel has to tell the next one that it starts itself.
func acpiInit(b *info.Boot) bool {
	if v, _ := b.Option("acpi"); string(v) == "off" {
		acpiError = errACPIOff
		return false
	}
	f := &firmware
	rsdp, copy := b.RSDP, b.RSDPCopy[:b.RSDPLen]
	if v, ok := b.Option("acpi_rsdp"); ok {
		rsdp, copy = parseHex(v), nil
	}
	if acpiError = acpiTables.Open(rsdp, copy, &f.memory); acpiError != nil {
		return false
	}
	f.hasFADT = good("FACP", f.fadt.Parse(acpiTables.Find("FACP")))
	f.hasHPET = good("HPET", f.hpet.Parse(acpiTables.Find("HPET")))
	good("MCFG", f.mcfg.Parse(acpiTables.Find("MCFG")))
	f.mcfg.Below(physicalLimit())
	hasMADT = good("APIC", madt.Parse(acpiTables.Find("APIC"), f.fadt.OnlineCapable()))
	if f.hasFADT {
		f.facs = acpiTables.Table(f.fadt.FACS, "FACS")
		f.dsdt = acpiTables.Table(f.fadt.DSDT, "DSDT")
		f.sleepA, f.sleepB, f.hasS5 = acpi.FindS5(f.dsdt)
		acpiTables.Each(func(t []byte) {
			if !f.hasS5 && string(t[:4]) == "SSDT" {
				f.sleepA, f.sleepB, f.hasS5 = acpi.FindS5(t)
			}
		})
		// To be had when the machine is in no state to make page tables.
		if f.fadt.HasReset && f.fadt.Reset.Space == acpi.SpaceMemory {
			f.resetMapping = MapDevice(f.fadt.Reset.Addr, 1)
		}
	}
	return hasMADT
}

// good notes a table that is there but could not be parsed.
func good(signature string, parsed bool) bool {
	if !parsed {
		acpiTables.Refuse(acpiTables.Find(signature))
	}
	return parsed
}

// parseHex reads a number in hexadecimal, with or without 0x. What is none is 0.
func parseHex(p []byte) (v uint64) {
	if len(p) > 2 && p[0] == '0' && p[1]|0x20 == 'x' {
		p = p[2:]
	}
	for _, c := range p {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0
		}
		v = v<<4 | uint64(c)
	}
	return v
}

// ACPITable returns the first good ACPI table with the given signature, or nil.
// It is the firmware's memory, as long as its header says, and read-only.
func ACPITable(signature string) []byte {
	switch signature {
	case "DSDT":
		return firmware.dsdt
	case "FACS":
		return firmware.facs
	}
	return acpiTables.Find(signature)
}

// EachACPITable calls f for each good ACPI table, in the firmware's order, DSDT
// and FACS at the end.
func EachACPITable(f func(table []byte)) {
	acpiTables.Each(f)
	if firmware.dsdt != nil {
		f(firmware.dsdt)
	}
	if firmware.facs != nil {
		f(firmware.facs)
	}
}

// FADT returns what the table of that name says, with the flags about the PC's
// old devices. ok is false, and the flags those of an old PC, if there is none.
func FADT() (f acpi.FADT, ok bool) {
	if !firmware.hasFADT {
		return acpi.FADT{Has8042: true, LegacyDevices: true}, false
	}
	return firmware.fadt, true
}

// ConfigRegions returns where PCI Express configuration space is in memory: none
// on a machine that has ports for it only.
func ConfigRegions() []acpi.ConfigRegion { return firmware.mcfg.Regions() }

// FirmwareReport says what was found in the firmware's tables: debug takes what
// there is, warn what is wrong. It is called once, at start-up.
func FirmwareReport(debug, warn func(format string, a ...any)) {
	if acpiError != nil {
		warn("ACPI: %v", acpiError)
	}
	EachACPITable(func(t []byte) {
		if string(t[:4]) == "FACS" { // it has but the first words of a header
			debug("ACPI: FACS %d bytes", len(t))
			return
		}
		debug("ACPI: %s %d bytes, %s %s", t[:4], len(t), trim(t[10:16]), trim(t[16:24]))
	})
	for _, p := range acpiTables.Problems() {
		warn("ACPI: table %q at %#x left out: %v", p.Signature[:], p.Address, p.Reason)
	}
	if n := acpiTables.Dropped; n > 0 {
		warn("ACPI: %d more tables left out", n)
	}
	f := &firmware
	switch {
	case acpiError != nil:
		return
	case !f.hasFADT:
		warn("ACPI: no FADT: the machine cannot be turned off")
	case !f.hasS5:
		warn("ACPI: no \\_S5 found: the machine cannot be turned off")
	}
	if f.mcfg.Ignored > 0 {
		warn("ACPI: %d entries of the MCFG make no sense", f.mcfg.Ignored)
	}
	if !hasMADT {
		warn("ACPI: no MADT: one CPU only")
		return
	}
	debug("ACPI: %d processors, %d that could be added, %d I/O APICs",
		len(madt.CPUs()), madt.Disabled, len(madt.IOAPICs()))
	for _, o := range madt.Overrides() {
		debug("ACPI: ISA interrupt %d is global interrupt %d, active low %t, level triggered %t", o.IRQ, o.GSI, o.ActiveLow, o.Level)
	}
	if madt.Ignored > 0 {
		warn("ACPI: %d entries of the MADT make no sense", madt.Ignored)
	}
	if madt.Excess > 0 {
		warn("ACPI: no room for %d entries of the MADT", madt.Excess)
	}
}

// InterruptReport says how interrupts are delivered and which CPUs are missing,
// like FirmwareReport. It may be called at any time after start-up.
func InterruptReport(debug, warn func(format string, a ...any)) {
	mode := "xAPIC"
	if x2apic {
		mode = "x2APIC"
	}
	debug("APIC: %s mode: %s", mode, apicWhy)
	if c1eOff {
		debug("CPU: C1E is off: the local APIC's timer would stop in it")
	}
	for i := range ioapicCount {
		c := &ioapics.list[i]
		debug("I/O APIC: global interrupts %d to %d", c.base, c.base+c.entries-1)
	}
	if ioapicCount == 0 {
		warn("no I/O APIC: devices have no interrupts")
	}
	if id := interruptCPU(); id >= firstX2ID {
		warn("device interrupts cannot reach a CPU with APIC id %d", id)
	} else if id != cpuByIndex(0).apicID {
		debug("device interrupts go to the CPU with APIC id %d: those from %d on would need interrupt remapping", id, firstX2ID)
	}
	for _, id := range silentCPUs[:min(silentCPU, len(silentCPUs))] {
		warn("the CPU with APIC id %d does not start", id)
	}
	if n := silentCPU - len(silentCPUs); n > 0 {
		warn("%d more CPUs do not start", n)
	}
	if foreignCPU > 0 {
		warn("%d CPUs have APIC ids from %d on, but no x2APIC mode", foreignCPU, firstX2ID)
	}
}

// trim cuts the padding off a name in a table, and whatever could upset a
// terminal.
func trim(p []byte) []byte {
	for i, c := range p {
		if c < ' ' || c > '~' {
			p = p[:i]
			break
		}
	}
	for len(p) > 0 && p[len(p)-1] == ' ' {
		p = p[:len(p)-1]
	}
	return p
}
