//go:build tamarix

package amd64

import "tamarix/arch/acpi"

// firmware is what the ACPI tables say beyond the MADT, which acpiInit has read
// by then. Written once, by readFirmware.
var firmware struct {
	read    bool
	fadt    acpi.FADT
	hpet    acpi.HPET
	mcfg    acpi.MCFG
	hasFADT bool
	hasHPET bool
}

// readFirmware reads the tables that nothing needs early. Start-up calls it,
// through FirmwareReport, before there is anybody to race with.
func readFirmware() {
	f := &firmware
	if f.read {
		return
	}
	f.read = true
	f.hasFADT = f.fadt.Parse(acpiTables.Find("FACP"))
	f.hasHPET = f.hpet.Parse(acpiTables.Find("HPET"))
	f.mcfg.Parse(acpiTables.Find("MCFG"))
}

// ACPITable returns the first good ACPI table with the given signature, or nil.
// It is the firmware's memory, as long as its header says, and read-only.
func ACPITable(signature string) []byte { return acpiTables.Find(signature) }

// ConfigRegions returns where PCI Express configuration space is in memory: none
// on a machine that has ports for it only.
func ConfigRegions() []acpi.ConfigRegion {
	readFirmware()
	return firmware.mcfg.Regions()
}

// FirmwareReport reads the firmware's tables and calls log for each thing about
// them that somebody may want to know. It is called once, at start-up.
func FirmwareReport(log func(format string, a ...any)) {
	readFirmware()
	acpiTables.Each(func(t []byte) {
		log("ACPI: %s %d bytes, %s %s", t[:4], len(t), trim(t[10:16]), trim(t[16:24]))
	})
	for _, p := range acpiTables.Problems() {
		log("ACPI: table %q at %#x left out: %v", p.Signature[:], p.Address, p.Reason)
	}
	if madt.Ignored > 0 {
		log("ACPI: %d entries of the MADT make no sense", madt.Ignored)
	}
	if !firmware.hasFADT {
		log("ACPI: no FADT: the machine cannot be turned off")
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
func PhysicalMemory(addr, n uint64) []byte { return acpiWindow.Bytes(addr, n) }
